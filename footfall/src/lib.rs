//! The all-in-one program: starts what is not given (a log, a database), then the three services on
//! one listener.
//!
//! The one rule: nothing here is faked. The services talk to the embedded parts as to any others.

pub mod cli;
pub mod commands;
pub mod data_dir;
pub mod databases;
mod declared;
pub mod demo;
pub mod embedded_log;
pub mod openapi;
pub mod output;
mod parts;
pub mod roles;
pub mod run_file;
pub mod secrets;
pub mod services;
mod take_over;
pub mod up;

pub use declared::declared;
