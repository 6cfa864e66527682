//! The surface of workspaces: who may call what, by which credential.

mod credentials;
mod keys;
pub mod objects;
mod refused;
