//! Reads `timezone`: a name in the IANA list that is built into the program.
//!
//! The one rule: the machine's own zone database is never used. It may be older or missing, and it
//! has names for the machine itself (`localtime`, `posixrules`).

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// A name in the list that is not a place.
const NO_PLACE: &str = "Factory";

/// The zone with that name, in any case; `None` for a name outside the list.
pub(super) fn read(name: &str) -> Option<TimeZone> {
    let bundled = TimeZoneDatabase::bundled();
    // The database accepts more than its list, such as `Etc/Unknown`.
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
    fn names_in_the_list_are_zones() {
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
    fn names_outside_the_list_are_not_zones() {
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
