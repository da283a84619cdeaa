//! Credentials that are remembered, of a server whose refresh tokens are good once.

use std::path::{Path, PathBuf};

use tower_reauth::store::Record;

use super::{
    authority::{Authority, Manner},
    process::{Program, Proxy},
    temporary::Temporary,
    waiting::Waiting,
};

const KEY: &str = "a-key-that-nobody-may-see";
const STORE_KEY: &str = "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=";

/// A server, what the program knows of it, and where it remembers its tokens.
pub(crate) struct World {
    pub(crate) authority: Authority,
    store: PathBuf,
    file: Temporary,
    _declaration: Temporary,
}

impl World {
    /// A credential with a `key` beside the refresh token, and one of somebody, `me`, that has a login alone. Only one of them may
    /// be used. `name` must be used once only in all tests.
    pub(crate) async fn new(name: &str, manner: Manner, store: &Path) -> Self {
        let authority = Authority::start(manner).await;
        let origin = &authority.origin;
        let declared = format!(
            "name = \"Acme\"\nbase_url = \"{origin}\"\n\
             [acquire]\nrequest = \"POST {origin}/token\"\nform = {{ key = \"env:KEY\" }}\n\
             [refresh]\nrequest = \"POST {origin}/token\"\nform = {{ refresh_token = \"token:refresh\" }}\n"
        );
        let declaration = Temporary::new(&format!("{name}-declared.toml"), &declared);
        let common = format!(
            "connections = {{ roots = \"bundled\" }}\n\
             store = {{ place = \"file:{}\", key = \"env:STORE_KEY\", subject = \"us\" }}\n",
            store.display()
        );
        let content = format!(
            "[credentials.key]\ndeclaration = \"{}\"\n{common}\
             [credentials.me]\nvendor = \"oauth2\"\nbase-url = \"{origin}\"\nclient-id = \"app\"\n\
             token-url = \"{origin}/token\"\nlogin = {{ authorization-url = \"{origin}/auth\" }}\n{common}",
            declaration.path().display(),
        );
        let file = Temporary::new(&format!("{name}.toml"), &content);
        Self { authority, store: store.to_owned(), file, _declaration: declaration }
    }

    /// A program that knows of these credentials.
    pub(crate) fn program(&self, args: &str) -> Program {
        let program = Program::bare().args(args).secret("KEY", KEY).secret("STORE_KEY", STORE_KEY);
        program.variable("REAUTH_CONFIG", self.file.path())
    }

    pub(crate) async fn proxy(&self, name: &str) -> Proxy {
        Proxy::start(self.program("proxy --listen 127.0.0.1:0 --as").arg(name)).await
    }

    /// Has somebody log in. Returns the exit status, and what was said.
    pub(crate) async fn log_in(&self) -> (Option<i32>, String) {
        let waiting = Waiting::start(self.program("login me --no-browser")).await;
        waiting.back("code=c&state=STATE").await;
        waiting.ended().await
    }

    /// What is remembered, as far as anybody can see.
    pub(crate) fn record(&self) -> Record {
        let files = std::fs::read_dir(&self.store).expect("it is there").map(|file| file.unwrap().path());
        let records: Vec<_> =
            files.filter(|path| path.extension().is_some_and(|end| end == "record")).collect();
        let [record] = &records[..] else { panic!("{records:?}") };
        Record::from_bytes(&std::fs::read(record).unwrap()).unwrap()
    }

    /// Whether nobody knows what has become of the refresh token that is remembered: it may have been sent.
    pub(crate) fn is_in_doubt(&self) -> bool {
        let record = self.record();
        record.note.is_some_and(|note| note.revision >= record.revision)
    }
}
