//! The address and the login of a broker, as settings of librdkafka and as properties files.

use std::{fs, path::Path};

use rdkafka::ClientConfig;

/// A user of the broker.
#[derive(Clone, Debug)]
pub struct Login {
    /// `sasl.username`.
    pub username: String,
    /// `sasl.password`.
    pub password: String,
}

/// Address and login of a broker.
#[derive(Clone, Debug)]
pub struct Access {
    /// `host:port`.
    pub bootstrap: String,
    /// `None` for a broker without passwords.
    pub login: Option<Login>,
}

impl Access {
    /// Settings that every librdkafka client needs, with short waits between attempts.
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (name, value) in self.settings() {
            config.set(name, value);
        }
        config
            .set("reconnect.backoff.ms", "10")
            .set("reconnect.backoff.max.ms", "100")
            // Otherwise a killed broker fills the test's output.
            .set("log_level", "0");
        config
    }

    /// The settings for address and login, under the names that librdkafka and Java share.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![("bootstrap.servers", self.bootstrap.clone())];
        if let Some(login) = &self.login {
            settings.extend([
                ("security.protocol", "SASL_PLAINTEXT".to_owned()),
                ("sasl.mechanism", "PLAIN".to_owned()),
                ("sasl.username", login.username.clone()),
                ("sasl.password", login.password.clone()),
            ]);
        }
        settings
    }

    /// Writes a properties file for `kcat -F`.
    pub fn write_properties(&self, file: &Path) {
        let lines: Vec<String> = self
            .settings()
            .into_iter()
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect();
        fs::write(file, lines.concat()).unwrap();
    }
}
