//! Finds records of the directory that belong to a workspace without naming it.

use serde::Deserialize;
use std::{collections::HashSet, str};
use uuid::Uuid;

/// The tenant that a record names. Entries of later builds use the same members.
#[derive(Default, Deserialize)]
pub(super) struct Tenant {
    #[serde(default)]
    workspace_id: Option<Uuid>,
    #[serde(default)]
    workspace_no: Option<u32>,
}

impl Tenant {
    /// Reads the tenant from a payload; empty if the payload is not JSON.
    pub(super) fn of(payload: Option<&[u8]>) -> Self {
        serde_json::from_slice(payload.unwrap_or_default()).unwrap_or_default()
    }

    /// True if the record names the workspace.
    pub(super) fn is(&self, workspace: Uuid) -> bool {
        self.workspace_id == Some(workspace)
    }
}

/// Numbers and keys by which other records belong to the workspace.
#[derive(Debug, Default)]
pub(super) struct Belonging {
    /// Its numbers: one, unless the directory was ever wrong.
    numbers: HashSet<u32>,
    /// Keys of its records. A tombstone with such a key belongs to it as well.
    keys: HashSet<Vec<u8>>,
}

impl Belonging {
    /// Takes the workspace's number from a record that names it.
    pub(super) fn learn_numbers(
        &mut self,
        workspace: Uuid,
        _key: Option<&[u8]>,
        payload: Option<&[u8]>,
    ) {
        let tenant = Tenant::of(payload);
        if tenant.is(workspace) {
            self.numbers.extend(tenant.workspace_no);
        }
    }

    /// Takes the key of a record of the workspace.
    pub(super) fn learn_keys(
        &mut self,
        workspace: Uuid,
        key: Option<&[u8]>,
        payload: Option<&[u8]>,
    ) {
        let tenant = Tenant::of(payload);
        if tenant.is(workspace) || self.has_number(&tenant) {
            self.keys.extend(key.map(<[u8]>::to_vec));
        }
    }

    /// True if a record with that key and tenant belongs to the workspace.
    pub(super) fn has(&self, key: Option<&[u8]>, tenant: &Tenant) -> bool {
        self.has_number(tenant)
            || key.is_some_and(|key| self.keys.contains(key) || self.is_number_key(key))
    }

    fn has_number(&self, tenant: &Tenant) -> bool {
        tenant
            .workspace_no
            .is_some_and(|number| self.numbers.contains(&number))
    }

    /// `workspace:42` names its workspace even if compaction has left only the tombstone.
    fn is_number_key(&self, key: &[u8]) -> bool {
        let number = str::from_utf8(key).ok();
        let number = number.and_then(|key| key.strip_prefix("workspace:"));
        number
            .and_then(|number| number.parse().ok())
            .is_some_and(|number| self.numbers.contains(&number))
    }
}
