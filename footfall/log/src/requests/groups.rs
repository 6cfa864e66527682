//! The requests of consumer groups. Translates between the protocol and [`crate::groups`], which makes the decisions.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use kafka_protocol::{
    ResponseError as Error,
    messages::{
        BrokerId, DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest,
        DescribeGroupsResponse, FindCoordinatorRequest, FindCoordinatorResponse, GroupId,
        HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse,
        LeaveGroupRequest, LeaveGroupResponse, ListGroupsRequest, ListGroupsResponse,
        SyncGroupRequest, SyncGroupResponse,
        delete_groups_response::DeletableGroupResult,
        describe_groups_response::{DescribedGroup, DescribedGroupMember},
        find_coordinator_response::Coordinator,
        join_group_response::JoinGroupResponseMember,
        leave_group_response::MemberResponse,
        list_groups_response::ListedGroup,
    },
    protocol::StrBytes,
};
use tracing::warn;

use super::{NODE_ID, Node, cluster::GROUP_OPERATIONS, code, errors, text};
use crate::groups::{GroupView, Joined, Joiner, NotJoined, SyncRequest};

/// Kafka's numbers of coordinator types.
const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
/// The only kind of group.
const CLASSIC: &str = "classic";
/// Maximum length of a client's name in ids and lists.
const MAX_CLIENT_ID: usize = 200;

/// Finds a coordinator: this node, for groups.
pub(crate) fn find(
    node: &Node,
    request: FindCoordinatorRequest,
    version: i16,
) -> FindCoordinatorResponse {
    /// From this version on a request names several groups.
    const SEVERAL: i16 = 4;
    let host = text(node.address.ip().to_string());
    let port = i32::from(node.address.port());
    let error = match request.key_type {
        GROUP => None,
        // Not retriable, because there will never be transactions.
        TRANSACTION => Some(Error::TransactionalIdAuthorizationFailed),
        _ => Some(Error::InvalidRequest),
    };
    let message = error.map(|_| text("this broker coordinates only groups"));
    let error_code = error.map_or(0, |error| error.code());
    let (id, host, port) = match error {
        None => (NODE_ID, host, port),
        Some(_) => (BrokerId(-1), StrBytes::default(), -1),
    };
    if version < SEVERAL {
        return FindCoordinatorResponse::default()
            .with_error_code(error_code)
            .with_error_message(message)
            .with_node_id(id)
            .with_host(host)
            .with_port(port);
    }
    let found = request.coordinator_keys.into_iter().map(|key| {
        Coordinator::default()
            .with_key(key)
            .with_error_code(error_code)
            .with_error_message(message.clone())
            .with_node_id(id)
            .with_host(host.clone())
            .with_port(port)
    });
    FindCoordinatorResponse::default().with_coordinators(found.collect())
}

/// Joins a group's next generation.
pub(crate) async fn join(
    node: &Node,
    request: JoinGroupRequest,
    client_id: String,
    version: i16,
) -> JoinGroupResponse {
    /// From this version on clients know the error that asks them to join again with an id.
    const WITH_ID: i16 = 4;
    /// From this version on clients know that a returning leader need not assign again.
    const MAY_SKIP: i16 = 9;
    let ms = |ms: i32| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    let session = ms(request.session_timeout_ms);
    // Copy, because a slice would keep the whole request in memory.
    let own = |bytes: &Bytes| Bytes::copy_from_slice(bytes);
    let protocols = request.protocols.iter();
    let joiner = Joiner {
        member_id: request.member_id.to_string(),
        instance: request.group_instance_id.as_ref().map(ToString::to_string),
        client_id: client_id.chars().take(MAX_CLIENT_ID).collect(),
        client_host: format!("/{}", node.address.ip()),
        session,
        // The oldest clients use the session timeout for both.
        rebalance: if request.rebalance_timeout_ms < 0 {
            session
        } else {
            ms(request.rebalance_timeout_ms)
        },
        protocol_type: request.protocol_type.to_string(),
        protocols: protocols
            .map(|protocol| (protocol.name.to_string(), own(&protocol.metadata)))
            .collect(),
        needs_id: version >= WITH_ID,
        may_skip_assignment: version >= MAY_SKIP,
    };
    let outcome = node.groups.join(request.group_id.as_str(), joiner).await;
    describe_place(outcome, version)
}

fn describe_place(outcome: Result<Joined, NotJoined>, version: i16) -> JoinGroupResponse {
    /// From this version on the protocol may be absent.
    const NULLABLE: i16 = 7;
    match outcome {
        Ok(joined) => {
            let members = joined.members.into_iter().map(|(id, instance, metadata)| {
                JoinGroupResponseMember::default()
                    .with_member_id(text(id))
                    .with_group_instance_id(instance.map(text))
                    .with_metadata(metadata)
            });
            JoinGroupResponse::default()
                .with_generation_id(joined.generation)
                .with_protocol_type(Some(text(joined.protocol_type)))
                .with_protocol_name(Some(text(joined.protocol)))
                .with_leader(text(joined.leader))
                .with_skip_assignment(joined.skip_assignment)
                .with_member_id(text(joined.member_id))
                .with_members(members.collect())
        }
        Err(NotJoined { error, member_id }) => JoinGroupResponse::default()
            .with_error_code(error.code())
            .with_generation_id(-1)
            .with_protocol_name((version < NULLABLE).then(StrBytes::default))
            .with_member_id(text(member_id)),
    }
}

/// Returns a member's assignment in the generation.
pub(crate) async fn sync(node: &Node, request: SyncGroupRequest) -> SyncGroupResponse {
    let assignments = request.assignments.iter();
    let asked = SyncRequest {
        member_id: request.member_id.to_string(),
        instance: request.group_instance_id.as_ref().map(ToString::to_string),
        generation: request.generation_id,
        protocol_type: request.protocol_type.as_ref().map(ToString::to_string),
        protocol: request.protocol_name.as_ref().map(ToString::to_string),
        assignments: assignments
            .map(|share| {
                let id = share.member_id.to_string();
                (id, Bytes::copy_from_slice(&share.assignment))
            })
            .collect(),
    };
    match node.groups.sync(request.group_id.as_str(), asked).await {
        Ok(synced) => SyncGroupResponse::default()
            .with_protocol_type(Some(text(synced.protocol_type)))
            .with_protocol_name(Some(text(synced.protocol)))
            .with_assignment(synced.assignment),
        Err(error) => SyncGroupResponse::default().with_error_code(error.code()),
    }
}

/// Handles a heartbeat.
pub(crate) fn heartbeat(node: &Node, request: &HeartbeatRequest) -> HeartbeatResponse {
    let beat = node.groups.heartbeat(
        request.group_id.as_str(),
        request.member_id.as_str(),
        request.group_instance_id.as_deref(),
        request.generation_id,
    );
    HeartbeatResponse::default().with_error_code(code(&beat))
}

/// Removes members: one in older versions, several in newer ones, each with its own result.
pub(crate) fn leave(node: &Node, request: LeaveGroupRequest, version: i16) -> LeaveGroupResponse {
    const SEVERAL: i16 = 3;
    let group = request.group_id.as_str();
    if version < SEVERAL {
        let left = node.groups.leave(group, request.member_id.as_str(), None);
        return LeaveGroupResponse::default().with_error_code(code(&left));
    }
    let members = request.members.into_iter().map(|member| {
        let instance = member.group_instance_id.as_deref();
        let left = node
            .groups
            .leave(group, member.member_id.as_str(), instance);
        MemberResponse::default()
            .with_error_code(code(&left))
            .with_member_id(member.member_id)
            .with_group_instance_id(member.group_instance_id)
    });
    LeaveGroupResponse::default().with_members(members.collect())
}

/// Describes groups and their members.
pub(crate) async fn describe(
    node: &Node,
    request: DescribeGroupsRequest,
    version: i16,
) -> DescribeGroupsResponse {
    /// From this version on a group that does not exist is an error.
    const STRICT: i16 = 6;
    let stored = stored_groups(node).await;
    let operations = request.include_authorized_operations;
    let mut seen = BTreeSet::new();
    let asked = request.groups.into_iter();
    let groups = asked.filter(|id| seen.insert(id.clone())).map(|id| {
        let view = node.groups.view(id.as_str()).or_else(|| {
            // The group may have offsets but no members.
            let stored = stored
                .as_ref()
                .is_ok_and(|stored| stored.contains(id.as_str()));
            stored.then(without_members)
        });
        let group = DescribedGroup::default().with_group_id(id);
        match (view, &stored) {
            (Some(view), _) => {
                let group = describe_one(group, view);
                if operations {
                    group.with_authorized_operations(GROUP_OPERATIONS)
                } else {
                    group
                }
            }
            (None, Err(error)) => group.with_error_code(error.code()),
            (None, Ok(_)) if version >= STRICT => group
                .with_error_code(Error::GroupIdNotFound.code())
                .with_error_message(Some(text("the group does not exist")))
                .with_group_state(text("Dead")),
            (None, Ok(_)) => group.with_group_state(text("Dead")),
        }
    });
    DescribeGroupsResponse::default().with_groups(groups.collect())
}

fn describe_one(group: DescribedGroup, view: GroupView) -> DescribedGroup {
    let members = view.members.into_iter().map(|member| {
        DescribedGroupMember::default()
            .with_member_id(text(member.member_id))
            .with_group_instance_id(member.instance.map(text))
            .with_client_id(text(member.client_id))
            .with_client_host(text(member.client_host))
            .with_member_metadata(member.metadata)
            .with_member_assignment(member.assignment)
    });
    group
        .with_group_state(text(view.state))
        .with_protocol_type(text(view.protocol_type))
        .with_protocol_data(text(view.protocol))
        .with_members(members.collect())
}

fn without_members() -> GroupView {
    GroupView {
        state: "Empty",
        protocol_type: String::new(),
        protocol: String::new(),
        members: Vec::new(),
    }
}

/// Lists all groups, including those with only committed offsets.
pub(crate) async fn list(node: &Node, request: &ListGroupsRequest) -> ListGroupsResponse {
    let stored = match stored_groups(node).await {
        Ok(stored) => stored,
        Err(error) => return ListGroupsResponse::default().with_error_code(error.code()),
    };
    let mut groups: BTreeMap<String, GroupView> = stored
        .into_iter()
        .map(|name| (name, without_members()))
        .collect();
    groups.extend(node.groups.views());
    let wanted = |filters: &[StrBytes], value: &str| {
        filters.is_empty()
            || filters
                .iter()
                .any(|filter| filter.eq_ignore_ascii_case(value))
    };
    let groups = groups.into_iter().filter(|(_, view)| {
        wanted(&request.states_filter, view.state) && wanted(&request.types_filter, CLASSIC)
    });
    let groups = groups.map(|(name, view)| {
        ListedGroup::default()
            .with_group_id(GroupId(text(name)))
            .with_protocol_type(text(view.protocol_type))
            .with_group_state(text(view.state))
            .with_group_type(text(CLASSIC))
    });
    ListGroupsResponse::default().with_groups(groups.collect())
}

/// Deletes groups without members, with their offsets.
pub(crate) async fn delete(node: &Node, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let stored = stored_groups(node).await;
    let mut results = Vec::new();
    for id in request.groups_names {
        let name = id.as_str();
        let known = match &stored {
            Ok(stored) => Ok(stored.contains(name) || node.groups.view(name).is_some()),
            Err(error) => Err(*error),
        };
        let outcome = match known {
            Err(error) => Err(error),
            Ok(false) => Err(Error::GroupIdNotFound),
            Ok(true) if !node.groups.is_empty(name) => Err(Error::NonEmptyGroup),
            Ok(true) => {
                let deleted = node.store.delete_group(name).await;
                deleted.map_err(|error| errors::of_store(&error))
            }
        };
        let result = DeletableGroupResult::default().with_error_code(code(&outcome));
        results.push(result.with_group_id(id));
    }
    DeleteGroupsResponse::default().with_results(results)
}

/// The names of the groups with committed offsets.
async fn stored_groups(node: &Node) -> Result<BTreeSet<String>, Error> {
    match node.store.groups().await {
        Ok(groups) => Ok(groups.into_iter().collect()),
        Err(error) => {
            warn!(%error, "the groups could not be read: {error}");
            Err(Error::CoordinatorNotAvailable)
        }
    }
}
