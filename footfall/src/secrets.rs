//! Generates missing secrets at the first start and keeps them in the data directory, mode 600.

use crate::data_dir::DataDir;
use ingest::secrets::{ID, TRACKING, VISITOR};
use runtime::{IdSource, Settings, jwt, private, program::Failure, toml_text};
use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

/// The secrets that are generated if they are not configured.
const NAMES: [&str; 4] = [jwt::SECRET.name, TRACKING.name, ID.name, VISITOR.name];

/// The secrets that these settings need. With a public key for tokens, `JWT_SECRET` is not needed.
pub fn needed(settings: &Settings) -> impl Iterator<Item = &'static str> + use<> {
    let with_secret = jwt::algorithm(settings) == Some(jwt::Algorithm::HS256);
    NAMES
        .into_iter()
        .filter(move |name| with_secret || *name != jwt::SECRET.name)
}

/// Adds the needed secrets that the settings lack, from the data directory. Generates those that
/// are missing there too.
///
/// # Errors
/// When the file cannot be read or written. A file that cannot be read is never overwritten.
pub fn complete(
    settings: &mut Settings,
    data_dir: &DataDir,
    ids: &dyn IdSource,
) -> Result<(), Failure> {
    let path = data_dir.secrets();
    let failed = |what: String| Failure::Other(format!("{}: {what}", path.display()));
    let mut kept = match fs::read_to_string(&path) {
        Ok(text) => read(&text).map_err(failed)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
        Err(error) => return Err(failed(error.to_string())),
    };
    let mut made = false;
    let needed: Vec<&str> = needed(settings).collect();
    for name in &needed {
        if settings.text(name).is_none() && !kept.contains_key(*name) {
            kept.insert((*name).to_owned(), random_secret(ids));
            made = true;
        }
    }
    if made {
        let mut text = String::from(
            "# Generated at the first start. Anyone who has these secrets can forge tokens and ids.\n",
        );
        for (name, secret) in &kept {
            // Writing to a String does not fail.
            let _ = writeln!(text, "{name} = \"{secret}\"");
        }
        private::write_file(&path, &text).map_err(|error| failed(error.to_string()))?;
    }
    for (name, secret) in kept {
        if needed.contains(&name.as_str()) {
            settings.set_default(&name, secret);
        }
    }
    Ok(())
}

/// Adds missing secrets from those that `footfall up` keeps in the data directory. Generates none,
/// because the running program would not accept anything signed or hashed with another secret.
///
/// # Errors
/// When the directory or a secret does not exist, or the file cannot be read.
pub fn take_kept(settings: &mut Settings, names: &[&str]) -> Result<(), Failure> {
    let missing = names.iter().filter(|name| settings.text(name).is_none());
    let missing: Vec<&str> = missing.copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let data_dir = DataDir::find(settings)
        .map_err(|failure| Failure::Other(format!("{failure}, or give {}", missing.join(", "))))?;
    let path = data_dir.secrets();
    let mut kept = read_kept(&path)?;
    for name in missing {
        let Some(secret) = kept.remove(name) else {
            let hint = "set the secret of the running program, or name another data directory with --data-dir";
            let path = path.display();
            return Err(Failure::Other(format!(
                "{path} does not contain {name}; {hint}"
            )));
        };
        settings.set_default(name, secret);
    }
    Ok(())
}

/// Sets a random token secret if the settings need one and lack it, for a program without a
/// listener.
pub fn make_unused_token_secret(settings: &mut Settings, ids: &dyn IdSource) {
    if needed(settings).any(|name| name == jwt::SECRET.name) {
        settings.set_default(jwt::SECRET, random_secret(ids));
    }
}

/// Reads a file of secrets. A missing file counts as empty.
fn read_kept(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let failed = |what: String| Failure::Other(format!("{}: {what}", path.display()));
    match fs::read_to_string(path) {
        Ok(text) => read(&text).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Parses the file's text. Errors never repeat a secret.
fn read(text: &str) -> Result<BTreeMap<String, String>, String> {
    let secrets = toml_text::parse(text)?.into_iter();
    secrets
        .map(|(name, value)| match value {
            toml::Value::String(secret) => Ok((name, secret)),
            // The name is not shown either: in a malformed line it may be the secret.
            _ => Err("each line must have the form NAME = \"text\"".to_owned()),
        })
        .collect()
}

/// 256 random bits in hexadecimal.
fn random_secret(ids: &dyn IdSource) -> String {
    let half = || u128::from_be_bytes(ids.random_16());
    format!("{:032x}{:032x}", half(), half())
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::SeededIds;
    use tempfile::TempDir;

    #[test]
    fn an_invalid_file_stays_unchanged_and_its_secrets_are_not_shown() {
        for text in [
            "ID_SECRET = hunter2\n",
            "ID_SECRET = \"hunter2\nTRACKING_HMAC_SECRET = \"x\"\n",
            "ID_SECRET = [\"hunter2\"]\n",
            "hunter2 = 5\n",
            "ID_SECRET \"hunter2\"\n",
        ] {
            let folder = TempDir::new().unwrap();
            let path = folder.path().to_str().unwrap();
            let mut settings = Settings::from_pairs([("FOOTFALL_DATA_DIR", path)]);
            let data_dir = DataDir::open(&settings).unwrap();
            fs::write(data_dir.secrets(), text).unwrap();
            let failure = complete(&mut settings, &data_dir, &SeededIds::new(1)).unwrap_err();
            let said = format!("{failure} {failure:?}");
            assert!(said.contains("secrets.toml"), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
            assert_eq!(fs::read_to_string(data_dir.secrets()).unwrap(), text);
        }
    }
}
