//! Mail, handed to a server by SMTP: with STARTTLS, within TLS from the start, or in clear to this machine.

use std::{io::ErrorKind, net::IpAddr, path::PathBuf, time::Duration};

use lettre::{
    Message as Mail, SmtpTransport, Transport,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use mes_pipe::{Error, Result};
use mes_web::Secret;
use serde::Deserialize;

use super::{Channel, Environment, Failure, secret};
use crate::{alert::Message, config::table, text};

/// For each answer of the server; all of it has a deadline of its own.
const ANSWER: Duration = Duration::from_secs(10);
/// The longest that a mail gets, in characters.
const MOST: usize = 50_000;

/// What the TOML says of it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    host: String,
    /// 587 with STARTTLS, 465 within TLS, 25 in clear.
    port: Option<u16>,
    #[serde(default)]
    tls: Crypt,
    /// Lets `tls = "none"` go to another machine.
    #[serde(default)]
    in_clear: bool,
    from: String,
    to: Vec<String>,
    user: Option<String>,
    /// The variable that holds the password.
    password_env: Option<String>,
    /// Certificates (PEM) to trust as well: of a server of one's own.
    ca: Option<PathBuf>,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Crypt {
    #[default]
    Starttls,
    Tls,
    None,
}

impl Keys {
    /// Reads and checks the keys.
    ///
    /// # Errors
    ///
    /// What is wrong with a key.
    pub fn read(keys: toml::Table, place: &str) -> std::result::Result<Keys, String> {
        let keys: Keys = table(keys, place)?;
        let bad = |what: String| Err(format!("{place}: {what}"));
        if keys.user.is_some() != keys.password_env.is_some() {
            return bad("user and password_env go together".into());
        }
        if keys.to.is_empty() {
            return bad("to names nobody".into());
        }
        for address in keys.to.iter().chain([&keys.from]) {
            if let Err(error) = address.parse::<Mailbox>() {
                return bad(format!("{address:?} is no address: {error}"));
            }
        }
        if keys.tls == Crypt::None && !keys.in_clear && !is_here(&keys.host) {
            return bad(format!(
                "tls = \"none\" would send mail and password in clear to {}: in_clear = true allows that",
                keys.host
            ));
        }
        Ok(keys)
    }

    /// Makes it ready; nothing is sent.
    ///
    /// # Errors
    ///
    /// `Usage` where the environment has no password, or the certificates cannot be read.
    pub fn open(&self, environment: Environment) -> Result<Box<dyn Channel>> {
        let password = self
            .password_env
            .as_ref()
            .map(|variable| secret(environment, "password_env", variable))
            .transpose()?;
        let (tls, port) = match self.tls {
            Crypt::Starttls => (Tls::Required(self.parameters()?), 587),
            Crypt::Tls => (Tls::Wrapper(self.parameters()?), 465),
            Crypt::None => (Tls::None, 25),
        };
        let mut transport = SmtpTransport::builder_dangerous(&self.host)
            .port(self.port.unwrap_or(port))
            .tls(tls)
            .timeout(Some(ANSWER));
        if let (Some(user), Some(password)) = (&self.user, &password) {
            transport = transport.credentials(Credentials::new(user.clone(), password.reveal().to_owned()));
        }
        let address = |text: &String| text.parse::<Mailbox>().map_err(Error::usage);
        Ok(Box::new(Post {
            transport: transport.build(),
            from: address(&self.from)?,
            to: self.to.iter().map(address).collect::<Result<_>>()?,
            password,
        }))
    }

    fn parameters(&self) -> Result<TlsParameters> {
        let mut parameters = TlsParameters::builder(self.host.clone());
        if let Some(path) = &self.ca {
            let bad = |what: &dyn std::fmt::Display| Error::usage(format!("ca: {}: {what}", path.display()));
            let pem = std::fs::read(path).map_err(|error| bad(&error))?;
            parameters =
                parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| bad(&error))?);
        }
        parameters.build_rustls().map_err(Error::usage)
    }
}

struct Post {
    transport: SmtpTransport,
    from: Mailbox,
    to: Vec<Mailbox>,
    password: Option<Secret>,
}

impl Channel for Post {
    fn tell(&self, message: &Message) -> std::result::Result<(), Failure> {
        let mut mail = Mail::builder().from(self.from.clone()).subject(text::subject(message));
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        let mail = mail
            .header(ContentType::TEXT_PLAIN)
            .body(text::plain(message, MOST) + "\n")
            .map_err(Failure::lasting)?;
        self.transport.send(&mail).map(drop).map_err(|error| {
            // A server may say anything, the password too.
            let said = text::clean(&error.to_string());
            let what = self.password.as_ref().map_or(said.clone(), |password| password.redact(&said));
            let lasts = error.is_permanent() || error.is_tls() || error.is_client() || is_untrusted(&error);
            Failure { what, passes: !lasts, asked: None }
        })
    }
}

/// Says whether whoever answered is not who was meant: rustls tells that as data that cannot be.
fn is_untrusted(error: &dyn std::error::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::InvalidData)
        {
            return true;
        }
        source = error.source();
    }
    false
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
