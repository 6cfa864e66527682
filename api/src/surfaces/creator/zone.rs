//! Reads `timezone`: a name of the IANA list that is built into the program.
//!
//! The one rule: the machine's own zone database is never used. It may be older or missing, and has names
//! that mean the machine itself (`localtime`, `posixrules`).

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// A name of the list without a place.
const NO_PLACE: &str = "Factory";

/// The zone of that name, in any case; `None` for a name that is not in the list.
pub(super) fn read(name: &str) -> Option<TimeZone> {
    let bundled = TimeZoneDatabase::bundled();
    // The database knows more than the list: `Etc/Unknown` is a name of its own.
    let listed = bundled
        .available()
        .find(|known| known.as_str().eq_ignore_ascii_case(name))?;
    let listed = listed.as_str();
    bundled.get(listed).ok().filter(|_| listed != NO_PLACE)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn names_of_the_list_are_zones() {
        for name in [
            "UTC",
            "Etc/UTC",
            "Etc/GMT+5",
            "GMT",
            "EST5EDT",
            "Europe/Istanbul",
            "europe/istanbul",
            "America/Argentina/Buenos_Aires",
            "Asia/Calcutta",
            "Asia/Kolkata",
        ] {
            let zone = read(name).unwrap();
            let canonical = zone.iana_name().unwrap();
            assert!(canonical.eq_ignore_ascii_case(name), "{name} {canonical}");
        }
        assert_eq!(
            read("EUROPE/ISTANBUL").unwrap().iana_name(),
            Some("Europe/Istanbul")
        );
    }

    #[test]
    fn nothing_else_is_one() {
        for name in [
            "",
            "localtime",
            "posixrules",
            "Factory",
            "factory",
            "Etc/Unknown",
            "posix/UTC",
            "right/UTC",
            "UTC0",
            "EST5",
            "CET-1CEST",
            "<+03>-3",
            "+03:00",
            "Z",
            "Europe",
            "Europe/",
            "/Europe/Istanbul",
            "./UTC",
            "../zoneinfo/UTC",
            "/etc/localtime",
            "/usr/share/zoneinfo/UTC",
            "tzdata.zi",
            "zone.tab",
            "leapseconds",
            "UTC\0",
            " UTC",
            "Mars/Olympus",
        ] {
            assert!(read(name).is_none(), "{name:?}");
        }
    }
}
