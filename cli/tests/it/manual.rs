//! What shells and man(1) are told of the program.

use std::process::Stdio;

use tokio::{io::AsyncWriteExt, process::Command};

use crate::support::{process::Program, soon, temporary::Temporary};

const SUBCOMMANDS: [&str; 6] = ["call", "proxy", "token", "login", "logout", "status"];

#[tokio::test]
async fn each_shell_has_completions_for_all_of_it() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = Program::bare().args("completions").arg(shell).run().await;
        ended.assert_status(0);
        for word in SUBCOMMANDS.iter().chain(&["min-ttl", "no-browser", "store-key"]) {
            assert!(ended.stdout.contains(word), "{shell}: no {word}");
        }
    }
    Program::bare().args("completions csh").run().await.assert_status(2);
}

#[tokio::test]
async fn bash_completes_by_what_it_is_given() {
    let script = Program::bare().args("completions bash").run().await.stdout;
    let asked = [
        ("token --min", "--min", "token", "--min-ttl"),
        ("call --vendor zo", "zo", "--vendor", "zoho zoom"),
        ("proxy --vendor oa", "oa", "--vendor", "oauth2"),
        ("check --vendor zoo", "zoo", "--vendor", "zoom"),
        ("vendors zoo", "zoo", "vendors", "zoom"),
        // These are names that somebody has chosen.
        ("login zoo", "zoo", "login", ""),
    ];
    let ask = |(words, current, before, _): &(&str, &str, &str, &str)| {
        let at = words.split(' ').count();
        format!(
            "COMP_WORDS=(reauth {words}); COMP_CWORD={at}; COMPREPLY=()\n_reauth reauth {current} {before}\n\
             echo \"${{COMPREPLY[@]}}\"\n"
        )
    };
    let asks: String = asked.iter().map(ask).collect();
    let mut bash =
        Command::new("bash").arg("--norc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(format!("{script}\n{asks}").as_bytes()).await.unwrap();
    let output = soon(bash.wait_with_output()).await.unwrap();
    let answers: Vec<_> = asked.iter().map(|(.., answer)| *answer).collect();
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().collect::<Vec<_>>(), answers);
}

#[tokio::test]
async fn the_manual_has_a_page_for_each_subcommand() {
    let whole = Program::bare().args("man").run().await;
    whole.assert_status(0);
    assert!(whole.stdout.contains(".TH REAUTH 1 "), "{}", whole.stdout);
    for name in SUBCOMMANDS {
        assert!(whole.stdout.contains(&format!("reauth\\-{name}(1)")), "{name}: {}", whole.stdout);
        let page = Program::bare().args("man").arg(name).run().await;
        page.assert_status(0);
        let title = format!(".TH REAUTH-{} 1 ", name.to_uppercase());
        assert!(
            page.stdout.contains(&title) && page.stdout.contains(".SH \"EXIT STATUS\""),
            "{}",
            page.stdout
        );
        assert!(
            page.stdout.contains(concat!(" \"reauth ", env!("CARGO_PKG_VERSION"), "\"")),
            "{}",
            page.stdout
        );
    }
    // What is to be typed is not filled up with spaces, nor broken into lines.
    let token = Program::bare().args("man token").run().await.stdout;
    let examples = ".SH \"EXAMPLES\"\n.nf\n  curl \\-H \"Authorization: Bearer $(reauth token videos)\" https://api.example.com/videos\n";
    assert!(token.contains(examples), "{token}");
    assert!(token.contains(".fi\nA token is taken from the store"), "{token}");
    let ended = Program::bare().args("man cal").run().await;
    ended.assert_status(2).assert_says("There are: call, ");
}

/// As with `| head -1`.
#[tokio::test]
async fn whoever_reads_no_further_has_made_no_mistake() {
    let content = "[credentials.us]\nvendor = \"videsk\"\nkey = \"env:KEY\"\n";
    let file = Temporary::new("closed-pipe.toml", content);
    let program = |args| Program::bare().args(args).variable("REAUTH_CONFIG", file.path());
    for args in ["man", "man call", "completions bash", "vendors", "check --vendor zoom", "status"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = soon(program(args).start_writing_to(writer.into()).wait_with_output()).await.unwrap();
        assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), &b""[..]), "{args}: {ended:?}");
    }
    #[cfg(target_os = "linux")]
    for args in ["man", "completions bash", "vendors", "check --vendor zoom", "status"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = soon(program(args).start_writing_to(full.into()).wait_with_output()).await.unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(1) && said.contains("No space left"), "{args}: {said}");
    }
}
