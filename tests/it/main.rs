//! The integration tests, one binary: whole systems, real PostgreSQL, a real log.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod alerts;
mod bad_changes;
mod bad_input;
mod catalogue;
mod catalogue_links;
mod click_limits;
mod clicks;
mod clicks_folded;
mod clicks_outage;
mod commands;
mod compose;
mod connections;
mod conversions;
mod conversions_folded;
mod data_team;
mod database;
mod delivery;
mod demo;
mod equal_counts;
mod events_api;
mod events_files;
mod events_follow;
mod events_links;
mod events_recipes;
mod events_sync;
mod exactly_once;
mod fairness;
mod fresh_months;
mod fx;
mod geoip;
mod import;
mod import_command;
mod import_limits;
mod import_links;
mod instances;
mod link_changes;
mod link_counts;
mod link_reports;
mod long_sessions;
mod manage;
mod migration;
#[path = "../../ingest/src/enrich/mmdb_fixture.rs"]
mod mmdb_fixture;
mod networks;
mod noise;
mod openapi;
mod order;
mod page_changes;
mod partitions;
mod program;
mod public_page;
mod publisher;
mod random_log;
mod rebuild;
mod replay;
mod report_load;
mod secrets;
mod seeds;
mod separate_ingest;
mod spool;
mod statements;
mod tenants;
mod tokens;
mod vocabulary;
mod waiting;
mod webhooks;
mod workspaces;

use clap::Parser;
use std::process::ExitCode;

/// Acts as a program when the kit asks for it, see `kit::child`; otherwise it tests nothing.
#[test]
fn child_program() {
    let Some(words) = kit::child::asked_to_be() else {
        return;
    };
    let code = match words.first().map(String::as_str) {
        Some("footfall") => footfall::cli::dispatch(footfall::cli::Arguments::parse_from(&words)),
        Some("ingest") => runtime::program::run(ingest::declared(), &[], ingest::run),
        Some("projector") => runtime::program::run(projector::declared(), &[], projector::run),
        Some("api") => runtime::program::run(api::declared(), &[], api::run),
        other => panic!("no program {other:?}"),
    };
    // `ExitCode` does not return its number, so the codes in use are compared.
    let number = [(ExitCode::SUCCESS, 0), (ExitCode::from(2), 2)]
        .into_iter()
        .find(|(known, _)| *known == code);
    std::process::exit(number.map_or(1, |(_, number)| number));
}
