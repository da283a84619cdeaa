//! [`Recipe`]: what people write today, in Redis and in files.

use std::{
    fs::{self, File, TryLockError},
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use processes::{
    BoxError,
    child::{Caller, Child, Http, Session},
    counted::Commands,
    fleet::Grant,
    place::Place,
};
use redis::{Client, Script, aio::MultiplexedConnection, cmd};
use serde_json::{Value, json};
use tokio::time::sleep;
use tower::ServiceExt;

/// How long before its expiry a token isn't used any more, in milliseconds.
const MARGIN: u64 = 300;

/// How long a lock in Redis lasts, in milliseconds: longer than any call of the token endpoint.
const LOCK: u64 = 10_000;

pub struct Recipe {
    server: String,
    http: Http,
    grant: Grant,
    initial: String,
    shelf: Shelf,
    commands: Commands,
    token: Option<Token>,
}

/// A token, and until when it is used, in milliseconds since 1970.
#[derive(Clone)]
struct Token {
    access: String,
    until: u64,
}

/// What is shared.
enum Shelf {
    Redis { connection: MultiplexedConnection, prefix: String },
    Files { record: PathBuf, lock: PathBuf },
}

/// A lock that is held.
enum Lock {
    Redis(String),
    File(File),
}

impl Caller for Recipe {
    async fn log_in(
        child: &Child,
        http: &Http,
        session: &Session,
        commands: &Commands,
    ) -> Result<Self, BoxError> {
        let shelf = match &child.place {
            Place::Redis(url) => {
                let connection = Client::open(url.as_str())?.get_multiplexed_async_connection().await?;
                Shelf::Redis { connection, prefix: format!("recipe:{}", session.family) }
            }
            Place::Files(directory) => {
                fs::create_dir_all(directory)?;
                let file = |kind: &str| directory.join(format!("recipe-{}.{kind}", session.family));
                Shelf::Files { record: file("json"), lock: file("lock") }
            }
            Place::Nowhere | Place::Sentinels(_) => {
                return Err("the recipe is about files, or one Redis".into());
            }
        };
        Ok(Self {
            server: child.server.clone(),
            http: http.clone(),
            grant: child.grant,
            initial: session.refresh_token.clone(),
            shelf,
            commands: commands.clone(),
            token: None,
        })
    }

    async fn call(&mut self) -> Result<(), String> {
        for _ in 0..2 {
            let token = self.token().await.map_err(|error| error.to_string())?;
            let request = Request::get(format!("{}/api", self.server))
                .header(header::AUTHORIZATION, format!("Bearer {}", token.access))
                .body(Full::default())
                .expect("valid");
            let response = self.http.clone().oneshot(request).await.map_err(|error| error.to_string())?;
            let status = response.status();
            let _ = response.into_body().collect().await;
            if status != StatusCode::UNAUTHORIZED {
                break;
            }
            self.token = None;
            self.forget(&token).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    async fn settled(&mut self) {}
}

impl Recipe {
    async fn token(&mut self) -> Result<Token, BoxError> {
        if let Some(token) = self.token.clone().filter(Token::is_good) {
            return Ok(token);
        }
        loop {
            if let Some(token) = self.stored("token").await?.and_then(|text| Token::read(&text)) {
                self.token = Some(token.clone());
                return Ok(token);
            }
            if let Some(lock) = self.lock().await? {
                let renewed = self.renew().await;
                self.unlock(lock).await?;
                let token = renewed?;
                self.token = Some(token.clone());
                return Ok(token);
            }
            sleep(Duration::from_millis(fastrand::u64(25..100))).await;
        }
    }

    /// With the lock held.
    async fn renew(&mut self) -> Result<Token, BoxError> {
        // Somebody may have done it meanwhile.
        if let Some(token) = self.stored("token").await?.and_then(|text| Token::read(&text)) {
            return Ok(token);
        }
        let initial = (self.grant == Grant::Only).then(|| self.initial.clone());
        let refresh = self.stored("refresh").await?.or(initial);
        let password = "grant_type=password&username=johndoe&password=password&scope=offline_access";
        let answer = match refresh {
            Some(refresh) => {
                let refreshed = self.ask(format!("grant_type=refresh_token&refresh_token={refresh}")).await?;
                match refreshed["error"].as_str() {
                    Some("invalid_grant") if self.grant == Grant::Both => {
                        self.ask(password.to_owned()).await?
                    }
                    _ => refreshed,
                }
            }
            None => self.ask(password.to_owned()).await?,
        };
        let (Some(access), Some(lives)) = (answer["access_token"].as_str(), answer["expires_in"].as_u64())
        else {
            return Err(format!("no token: {}", answer["error"]).into());
        };
        let token = Token { access: access.to_owned(), until: now() + lives * 1000 - MARGIN };
        self.keep(&token, answer["refresh_token"].as_str().unwrap_or_default()).await?;
        Ok(token)
    }

    async fn ask(&self, form: String) -> Result<Value, BoxError> {
        let client = BASE64_STANDARD.encode("service:secret");
        let request = Request::post(format!("{}/token", self.server))
            .header(header::AUTHORIZATION, format!("Basic {client}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::<Bytes>::from(form))?;
        let response = self.http.clone().oneshot(request).await?;
        Ok(serde_json::from_slice(&response.into_body().collect().await?.to_bytes())?)
    }

    async fn stored(&mut self, what: &str) -> Result<Option<String>, BoxError> {
        self.commands.count();
        match &mut self.shelf {
            Shelf::Redis { connection, prefix } => {
                Ok(cmd("GET").arg(format!("{prefix}:{what}")).query_async(connection).await?)
            }
            Shelf::Files { record, .. } => {
                let Ok(text) = fs::read_to_string(record) else { return Ok(None) };
                let kept: Value = serde_json::from_str(&text)?;
                Ok(kept[what].as_str().map(str::to_owned))
            }
        }
    }

    async fn keep(&mut self, token: &Token, refresh: &str) -> Result<(), BoxError> {
        self.commands.count();
        match &mut self.shelf {
            Shelf::Redis { connection, prefix } => {
                // The one that can't be had again is first.
                let mut save = cmd("SET");
                save.arg(format!("{prefix}:refresh")).arg(refresh);
                save.query_async::<()>(connection).await?;
                self.commands.count();
                let mut save = cmd("SET");
                save.arg(format!("{prefix}:token")).arg(token.text()).arg("PX");
                save.arg(token.until.saturating_sub(now()).max(1));
                save.query_async::<()>(connection).await?;
            }
            Shelf::Files { record, .. } => {
                let kept = json!({ "token": token.text(), "refresh": refresh });
                let next = record.with_extension("next");
                fs::write(&next, kept.to_string())?;
                fs::rename(&next, record)?;
            }
        }
        Ok(())
    }

    /// Of a token that was rejected.
    async fn forget(&mut self, token: &Token) -> Result<(), BoxError> {
        let kept = self.stored("token").await?.and_then(|text| Token::read(&text));
        if kept.is_none_or(|kept| kept.access != token.access) {
            return Ok(());
        }
        let refresh = self.stored("refresh").await?.unwrap_or_default();
        let gone = Token { until: 0, ..token.clone() };
        self.keep(&gone, &refresh).await
    }

    async fn lock(&mut self) -> Result<Option<Lock>, BoxError> {
        self.commands.count();
        match &mut self.shelf {
            Shelf::Redis { connection, prefix } => {
                let value = format!("{:x}", fastrand::u128(..));
                let mut lock = cmd("SET");
                lock.arg(format!("{prefix}:lock")).arg(&value).arg("NX").arg("PX").arg(LOCK);
                let done: Option<String> = lock.query_async(connection).await?;
                Ok(done.map(|_| Lock::Redis(value)))
            }
            Shelf::Files { lock, .. } => {
                let file = File::create(lock)?;
                match file.try_lock() {
                    Ok(()) => Ok(Some(Lock::File(file))),
                    Err(TryLockError::WouldBlock) => Ok(None),
                    Err(TryLockError::Error(error)) => Err(error.into()),
                }
            }
        }
    }

    async fn unlock(&mut self, lock: Lock) -> Result<(), BoxError> {
        self.commands.count();
        match (&mut self.shelf, lock) {
            (Shelf::Redis { connection, prefix }, Lock::Redis(value)) => {
                let own = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end";
                let script = Script::new(own);
                Ok(script.key(format!("{prefix}:lock")).arg(value).invoke_async(connection).await?)
            }
            (_, Lock::File(file)) => Ok(file.unlock()?),
            _ => Ok(()),
        }
    }
}

impl Token {
    fn is_good(&self) -> bool {
        self.until > now()
    }

    fn text(&self) -> String {
        format!("{} {}", self.until, self.access)
    }

    /// If it is good.
    fn read(text: &str) -> Option<Self> {
        let (until, access) = text.split_once(' ')?;
        Some(Self { access: access.to_owned(), until: until.parse().ok()? }).filter(Self::is_good)
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
