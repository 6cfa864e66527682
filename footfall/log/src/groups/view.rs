//! Read-only views of groups, for the requests that list and describe them.

use bytes::Bytes;

use super::group::{Group, State};

/// A read-only view of a member.
#[derive(Clone, Debug)]
pub(crate) struct MemberView {
    pub(crate) member_id: String,
    pub(crate) instance: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) metadata: Bytes,
    pub(crate) assignment: Bytes,
}

/// A read-only view of a group.
#[derive(Clone, Debug)]
pub(crate) struct GroupView {
    /// Kafka's name of the state.
    pub(crate) state: &'static str,
    pub(crate) protocol_type: String,
    pub(crate) protocol: String,
    pub(crate) members: Vec<MemberView>,
}

impl Group {
    /// Returns a view of the group.
    pub(crate) fn view(&self) -> GroupView {
        let stable = self.state == State::Stable;
        let members = self.members.iter().map(|(id, member)| MemberView {
            member_id: id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            metadata: if stable {
                member.metadata(&self.protocol)
            } else {
                Bytes::new()
            },
            assignment: if stable {
                member.assignment.clone()
            } else {
                Bytes::new()
            },
        });
        GroupView {
            state: match self.state {
                State::Empty => "Empty",
                State::Joining => "PreparingRebalance",
                State::Assigning => "CompletingRebalance",
                State::Stable => "Stable",
            },
            protocol_type: self.protocol_type.clone(),
            protocol: if stable {
                self.protocol.clone()
            } else {
                String::new()
            },
            members: members.collect(),
        }
    }
}
