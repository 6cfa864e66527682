//! The all-in-one program's binary.

use clap::Parser;
use footfall::cli::{Arguments, dispatch};
use std::process::ExitCode;

fn main() -> ExitCode {
    dispatch(Arguments::parse())
}
