//! Random ids of topics and of the cluster.

use rusqlite::Connection;
use uuid::Uuid;

use super::{StoreError, schema};

/// Reads the cluster's id, and creates it on the first call.
pub(super) fn cluster_id(connection: &Connection) -> Result<String, StoreError> {
    const NAME: &str = "cluster_id";
    let known = connection.query_row("SELECT value FROM meta WHERE name = ?1", [NAME], |row| {
        row.get(0)
    });
    match known {
        Ok(id) => Ok(id),
        Err(rusqlite::Error::QueryReturnedNoRows) => {
            let id = base64(fresh_id());
            schema::keep(connection, NAME, &id)?;
            Ok(id)
        }
        Err(error) => Err(error.into()),
    }
}

/// A random id whose text does not begin with a dash, because tools would parse that as an option.
pub(super) fn fresh_id() -> Uuid {
    loop {
        #[expect(
            clippy::disallowed_methods,
            reason = "this crate stands alone; its ids have their home here"
        )]
        let id = Uuid::new_v4();
        if !base64(id).starts_with('-') {
            return id;
        }
    }
}

/// Formats an id like Kafka: 22 characters of URL-safe base64.
pub(crate) fn base64(id: Uuid) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = id.as_u128();
    let digit = |place: u32| {
        // Six bits each from the top. The last digit holds the last two bits, followed by four zeroes.
        let shifted = if place == 21 {
            bits << 4
        } else {
            bits >> (122 - 6 * place)
        };
        usize::try_from(shifted & 63)
            .ok()
            .and_then(|index| DIGITS.get(index))
    };
    (0..22).filter_map(digit).copied().map(char::from).collect()
}
