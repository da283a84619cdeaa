//! What the program says of its subcommands.

use crate::support::process::Program;

#[tokio::test]
async fn without_a_subcommand_it_says_which_there_are() {
    let ended = Program::bare().run().await;
    ended.assert_status(2).assert_says("Usage: reauth <COMMAND>");
    let listed = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in [
        "call Calls a vendor's API",
        "check Says what a file that declares a vendor does",
        "proxy A local reverse proxy",
        "token Prints a valid token",
        "login Has somebody log in",
        "logout Forgets somebody's tokens",
        "status Says who is logged in",
        "vendors Lists the vendors of the catalogue",
    ] {
        assert!(listed.contains(line), "{line}: {listed}");
    }
    assert_eq!(ended.stdout, "");
}

#[tokio::test]
async fn a_mistake_is_shown_with_the_usage_of_its_subcommand() {
    for (program, usage) in [
        (Program::call().args("GET /x"), "Usage: reauth call [OPTIONS] [METHOD] <PATH>\n"),
        (Program::proxy(), "Usage: reauth proxy [OPTIONS]\n"),
    ] {
        let ended = program.args("--vendor videsk").run().await;
        ended.assert_status(2).assert_says("error: Videsk needs --key\n").assert_says(usage);
    }
}

#[tokio::test]
async fn a_slip_is_answered_with_what_may_have_been_meant() {
    for (args, meant) in
        [("tokn", "'token'"), ("call --ouput x /x", "'--output'"), ("proxy --vender x", "'--vendor'")]
    {
        let ended = Program::bare().args(args).run().await;
        ended.assert_status(2).assert_says(meant);
    }
}

#[tokio::test]
async fn each_subcommands_help_shows_it_at_work() {
    let help = Program::bare().args("--help").run().await.stdout;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let listed = list.lines().take_while(|line| !line.is_empty()).filter(|line| line.starts_with("  "));
    let names =
        listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).filter(|name| !name.is_empty());
    let names: Vec<_> = names.filter(|name| *name != "help").collect();
    assert!(names.len() >= 10, "{names:?}");
    for name in names {
        let help = Program::bare().arg(name).arg("--help").run().await.stdout;
        let (_, examples) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("{name}: {help}"));
        assert!(
            examples.contains(&format!("reauth {name} ")) || examples.contains(&format!("reauth {name}\n")),
            "{help}"
        );
    }
}

#[tokio::test]
async fn each_subcommands_help_is_a_manual() {
    for (program, words) in [
        (Program::call(), ["Usage: reauth call ", "Secrets:\n", "Exit status:\n"]),
        (
            Program::bare().args("check"),
            ["Usage: reauth check ", "A recording is a TOML file", "Exit status:\n"],
        ),
        (Program::proxy(), ["Usage: reauth proxy ", "Who may call:\n", "Exit status:\n"]),
    ] {
        let ended = program.arg("--help").run().await;
        ended.assert_status(0);
        for word in words {
            assert!(ended.stdout.contains(word), "{word}: {}", ended.stdout);
        }
    }
}
