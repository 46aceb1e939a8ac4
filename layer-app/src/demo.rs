//! The embedded data centre that the program starts when it was given no credentials, with somebody
//! in it to talk to.

use std::time::Duration;

use layer_client::{Config, DcAddress, RsaPublicKey};
use layer_test_server::{NewUser, Server, ServerConfig, UserHandle};

use crate::Failure;
use crate::cli::{self, Args};
use crate::output::say;

/// A number of the form that Telegram keeps for tests.
const PHONE: &str = "+9996620001";
const FRIENDS_PHONE: &str = "+9996620002";

/// How soon somebody writes to who has just come.
const A_MOMENT: Duration = Duration::from_secs(1);

pub(crate) struct Demo {
    server: Server,
    friend: UserHandle,
}

impl Demo {
    pub(crate) async fn start(args: &Args) -> Result<Self, Failure> {
        if args.session.is_some() {
            return Err(
                "the embedded data centre forgets everything when the program ends, so there is no session \
                 to keep: leave --session out, or set TG_API_ID and TG_API_HASH, or name a --server"
                    .into(),
            );
        }
        let server = Server::start(ServerConfig::default()).await?;
        let mut grace = NewUser::named(FRIENDS_PHONE, "Grace");
        grace.last_name = "Hopper".into();
        grace.username = Some("grace".into());
        let friend = server.add_user(grace);
        let address = server
            .addresses()
            .first()
            .map(|(_, address)| address.to_string());
        say!(
            "TG_API_ID is not set: an embedded data centre runs here ({}).",
            address.unwrap_or_default()
        );
        Ok(Self { server, friend })
    }

    /// Points a client at it.
    pub(crate) fn configure(&self, config: &mut Config) -> Result<(), Failure> {
        config.dc_addresses = self
            .server
            .addresses()
            .into_iter()
            .map(|(id, address)| DcAddress::new(id, address))
            .collect();
        if !config.dc_addresses.iter().any(|dc| dc.id == config.dc_id) {
            let all = config.dc_addresses.len();
            let wanted = config.dc_id;
            return Err(
                format!("the embedded data centre has DCs 1 to {all}, not {wanted}").into(),
            );
        }
        config.rsa_keys = vec![RsaPublicKey::from_pem(self.server.public_key_pem())?];
        config.transport = cli::trusting(&config.transport, self.server.tls_certificate_pem())?;
        Ok(())
    }

    pub(crate) fn phone(&self) -> &'static str {
        PHONE
    }

    /// The code that was "sent" to a phone number.
    pub(crate) fn login_code(&self, phone: &str) -> Option<String> {
        self.server.login_code(phone)
    }

    /// Somebody writes in a moment, so that there is a conversation to begin with.
    pub(crate) fn welcome(&self, phone: &str) {
        let Some(user) = self.server.user_by_phone(phone) else {
            return;
        };
        let friend = self.friend.clone();
        tokio::spawn(async move {
            tokio::time::sleep(A_MOMENT).await;
            let text = "Welcome! Answer me with: send @grace Hello";
            if let Err(error) = friend.send_message(user.peer(), text) {
                log::warn!("the welcome was not sent: {error}");
            }
        });
    }

    /// What a newcomer may try first.
    pub(crate) fn show_around(&self) {
        say!("  send @echo Hello          @echo sends it back");
        say!("  send @echo /keyboard      buttons; 'press @echo ID Ping' presses one");
        say!("  send @BotFather /newbot   makes a bot, in three messages");
        say!("Tab completes, 'help' lists everything, Ctrl-D leaves.");
    }

    pub(crate) async fn stop(self) {
        self.server.shutdown().await;
    }
}
