//! Random ids: of topics, and of the cluster.

use rusqlite::Connection;
use uuid::Uuid;

use super::{StoreError, schema};

/// The cluster's id, made when it is first asked for.
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

/// A random id whose text form does not begin with a dash, which tools would take for an option.
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

/// An id as Kafka writes it: 22 characters of URL-safe base64.
pub(crate) fn base64(id: Uuid) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = id.as_u128();
    let digit = |place: u32| {
        // Six bits each from the top; the last digit has four zeroes behind its two.
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
