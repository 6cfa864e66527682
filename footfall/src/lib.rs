//! The all-in-one program: starts an embedded log and database where none is configured, then the
//! three services on one listener.
//!
//! The rule to keep: no part is a mock. The services use embedded parts as they use external ones.

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
