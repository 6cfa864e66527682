//! Looks up the place of an address in a GeoIP database, the bundled one or the operator's.
//!
//! Owns reading MMDB records of every layout in use. The one rule: an unusable database is an error
//! when it is opened. A look-up afterwards never fails; at worst it finds nothing.

use jiff::Timestamp;
use maxminddb::{LookupResult, PathElement, Reader, WithinOptions};
use schemas::{Place, countries};
use serde::de::IgnoredAny;
use std::{
    collections::HashSet,
    fmt, fs,
    net::IpAddr,
    path::Path,
    sync::{Arc, OnceLock},
};
use thiserror::Error;

/// The bundled country database; `ingest/data/NOTICE.md` names the source.
const BUNDLED: &[u8] = include_bytes!("../../data/geo-whois-asn-country.mmdb.zst");

/// The name of its package, because the file's metadata only says "country ipvAll".
const BUNDLED_NAME: &str = "geo-whois-asn-country";

/// A GeoIP database in memory. Clones share it.
#[derive(Clone)]
pub struct GeoDatabase {
    inner: Arc<Inner>,
}

struct Inner {
    reader: Reader<Vec<u8>>,
    version: String,
}

/// Why a GeoIP database is unusable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GeoError {
    /// The file could not be read.
    #[error("cannot read the GeoIP database {name}: {reason}")]
    Unreadable {
        /// The file.
        name: String,
        /// The error of the operating system.
        reason: String,
    },
    /// The file is damaged, truncated or not an MMDB file.
    #[error("the GeoIP database {name} is damaged or not an MMDB file: {reason}")]
    Corrupt {
        /// The file.
        name: String,
        /// The defect.
        reason: String,
    },
    /// A valid MMDB file of another kind (ASN, ISP, anonymous addresses).
    #[error("the GeoIP database {name} ({kind}) has no countries; use a City or Country database")]
    NoCountries {
        /// The file.
        name: String,
        /// The type in its metadata.
        kind: String,
    },
}

impl GeoDatabase {
    /// The bundled country database, decompressed once per process.
    ///
    /// # Errors
    /// [`GeoError::Corrupt`] only when the program was built with a damaged data file.
    pub fn bundled() -> Result<Self, GeoError> {
        static LOADED: OnceLock<Result<GeoDatabase, GeoError>> = OnceLock::new();
        LOADED
            .get_or_init(|| {
                let bytes =
                    zstd::decode_all(BUNDLED).map_err(|error| corrupt(BUNDLED_NAME, &error))?;
                Self::from_bytes(bytes, BUNDLED_NAME, Some(BUNDLED_NAME))
            })
            .clone()
    }

    /// Reads an MMDB file and checks every network in it. So a file that is damaged or still being
    /// written is refused here, and not discovered by a visit. Takes 50 ms for a million networks.
    ///
    /// # Errors
    /// [`GeoError`] names the file and the defect.
    pub fn open(path: &Path) -> Result<Self, GeoError> {
        let name = path.display().to_string();
        let bytes = fs::read(path).map_err(|error| GeoError::Unreadable {
            name: name.clone(),
            reason: error.to_string(),
        })?;
        let database = Self::from_bytes(bytes, &name, None)?;
        database.check(&name)?;
        Ok(database)
    }

    /// The place of an address, as far as the database knows it. Empty for addresses that are not
    /// public (private, loopback, link-local) and for those the database does not have.
    #[must_use]
    pub fn lookup(&self, address: IpAddr) -> Place {
        let address = address.to_canonical();
        if is_local(address) {
            return Place::default();
        }
        self.inner
            .reader
            .lookup(address)
            .map(|record| place(&record))
            .unwrap_or_default()
    }

    /// Name and build date ("geo-whois-asn-country 2026-06-17"), for the event's envelope.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.inner.version
    }

    fn from_bytes(bytes: Vec<u8>, name: &str, kind: Option<&str>) -> Result<Self, GeoError> {
        let reader = Reader::from_source(bytes).map_err(|error| corrupt(name, &error))?;
        let metadata = reader.metadata();
        let kind = kind.unwrap_or(&metadata.database_type);
        let built = i64::try_from(metadata.build_epoch)
            .ok()
            .and_then(|seconds| Timestamp::from_second(seconds).ok());
        let version = match built {
            Some(built) => format!("{kind} {}", built.strftime("%Y-%m-%d")),
            None => kind.to_owned(),
        };
        Ok(Self {
            inner: Arc::new(Inner { reader, version }),
        })
    }

    /// Reads every network once and every record once.
    ///
    /// The reader's own `verify` is too strict: it refuses files without a description, which the
    /// ip-location-db project publishes.
    fn check(&self, name: &str) -> Result<(), GeoError> {
        if self.walk(name)?.is_empty() {
            return Err(GeoError::NoCountries {
                name: name.to_owned(),
                kind: self.inner.reader.metadata().database_type.clone(),
            });
        }
        Ok(())
    }

    /// The codes of all countries in the records.
    fn walk(&self, name: &str) -> Result<HashSet<String>, GeoError> {
        let reader = &self.inner.reader;
        let mut seen = HashSet::new();
        let mut codes = HashSet::new();
        let networks = reader
            .networks(WithinOptions::default())
            .map_err(|error| corrupt(name, &error))?;
        for record in networks {
            let record = record.map_err(|error| corrupt(name, &error))?;
            // Many networks share a record, so each record is decoded once.
            if record.offset().is_some_and(|offset| seen.insert(offset)) {
                record
                    .decode::<IgnoredAny>()
                    .map_err(|error| corrupt(name, &error))?;
                codes.extend(code(&record));
            }
        }
        Ok(codes)
    }
}

impl fmt::Debug for GeoDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GeoDatabase").field(&self.version()).finish()
    }
}

fn corrupt(name: &str, error: &dyn fmt::Display) -> GeoError {
    GeoError::Corrupt {
        name: name.to_owned(),
        reason: error.to_string(),
    }
}

/// Reads one record in any of the three layouts: MaxMind's nested maps, the flat members of DB-IP
/// (`city`, `state1`, `country_code`), or ip-location-db's single `country_code`.
fn place(record: &LookupResult<'_, Vec<u8>>) -> Place {
    let known = code(record).and_then(|code| {
        // Names come from our table, so another database does not split a country in reports.
        countries::by_code(&code)
            .map(|(name, continent)| (name.to_owned(), Some(continent.to_owned())))
            .or_else(|| {
                text(record, &[&["country", "names", "en"], &["country_name"]])
                    .map(|name| (name, None))
            })
            .map(|(name, continent)| (code, name, continent))
    });
    let (country_code, country, continent) = match known {
        Some((code, name, continent)) => (Some(code), Some(name), continent),
        None => (None, None, None),
    };
    Place {
        country,
        country_code,
        region: subdivision(record).or_else(|| text(record, &[&["state1"]])),
        city: text(record, &[&["city", "names", "en"], &["city"]]),
        continent: continent.or_else(|| text(record, &[&["continent", "code"]])),
    }
}

/// The record's country code in upper case; `None` when it is absent or invalid.
fn code(record: &LookupResult<'_, Vec<u8>>) -> Option<String> {
    text(record, &[&["country", "iso_code"], &["country_code"]])
        .filter(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .map(|code| code.to_ascii_uppercase())
}

fn subdivision(record: &LookupResult<'_, Vec<u8>>) -> Option<String> {
    let path = [
        PathElement::Key("subdivisions"),
        PathElement::Index(0),
        PathElement::Key("names"),
        PathElement::Key("en"),
    ];
    text_at(record, &path)
}

/// The text at the first of these paths that has one.
fn text(record: &LookupResult<'_, Vec<u8>>, paths: &[&[&'static str]]) -> Option<String> {
    paths.iter().find_map(|path| {
        let path: Vec<PathElement<'_>> = path.iter().copied().map(PathElement::Key).collect();
        text_at(record, &path)
    })
}

fn text_at(record: &LookupResult<'_, Vec<u8>>, path: &[PathElement<'_>]) -> Option<String> {
    // An error means that this layout has another type at the path.
    let found: Option<&str> = record.decode_path(path).ok().flatten();
    found
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// True for addresses without a place on the internet. Some databases wrongly give them one.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                // RFC 6598: shared address space between a provider and its customers.
                || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
impl GeoDatabase {
    /// The codes of all countries in the records.
    pub(super) fn codes(&self) -> Result<HashSet<String>, GeoError> {
        self.walk(BUNDLED_NAME)
    }

    /// Like [`Self::open`], from bytes.
    pub(super) fn read(bytes: Vec<u8>) -> Result<Self, GeoError> {
        let database = Self::from_bytes(bytes, "test", None)?;
        database.check("test")?;
        Ok(database)
    }
}
