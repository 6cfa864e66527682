//! The settings and metrics of the all-in-one program: its own, and those of the three services.

use crate::{
    data_dir::FOLDER,
    databases::SERVER_PROGRAMS,
    embedded_log,
    services::{LISTEN, PROJECTOR_DATABASE},
};
use runtime::settings::{self, Declared, Part};
use schemas::settings::{NAMES, SHARED_WORDS};

const PART: Part = Part {
    settings: &[FOLDER, LISTEN, SERVER_PROGRAMS, PROJECTOR_DATABASE],
    metrics: embedded_log::METRICS,
};

/// All settings and metrics that the program declares.
#[must_use]
pub fn declared() -> Declared {
    let parts = [&settings::PART, &PART].into_iter();
    let parts = parts
        .chain(ingest::parts())
        .chain(projector::parts())
        .chain(api::parts());
    Declared::of(parts, NAMES).sharing(SHARED_WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::settings::Setting;
    use std::{collections::BTreeMap, fs};

    fn all() -> Vec<Declared> {
        vec![
            declared(),
            ingest::declared(),
            projector::declared(),
            api::declared(),
        ]
    }

    #[test]
    fn the_list_of_setting_names_is_complete() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/settings.txt");
        let programs = all();
        let names = programs.iter().flat_map(Declared::settings);
        let mut names: Vec<&str> = names.map(|setting| setting.name).collect();
        names.sort_unstable();
        names.dedup();
        let text = names.join("\n") + "\n";
        if std::env::var_os("UPDATE_SETTINGS").is_some() {
            fs::write(path, &text).unwrap();
        }
        let kept = fs::read_to_string(path).unwrap();
        assert_eq!(kept, text, "write it with UPDATE_SETTINGS=1");
    }

    #[test]
    fn programs_that_read_the_same_setting_declare_it_alike() {
        let mut known: BTreeMap<&str, Setting> = BTreeMap::new();
        let parts = ingest::parts()
            .into_iter()
            .chain(projector::parts())
            .chain(api::parts());
        for setting in parts.flat_map(|part| part.settings) {
            let first = known.entry(setting.name).or_insert(*setting);
            assert_eq!(first, setting);
        }
    }
}
