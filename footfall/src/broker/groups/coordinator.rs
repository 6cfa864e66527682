//! The groups as nisshi's routes call them: requests in, response bodies out.
//!
//! The rule to keep: refusals are answers with an error code; an `Err` would close the client's connection.

use std::time::Duration;

use async_trait::async_trait;
use nisshi_broker::{
    Result,
    coordinator::group::{Coordinator, OffsetCommit},
};
use nisshi_sans_io::{
    Body, ErrorCode, HeartbeatResponse, JoinGroupResponse, LeaveGroupResponse,
    OffsetCommitResponse, SyncGroupResponse,
    join_group_request::JoinGroupRequestProtocol,
    join_group_response::JoinGroupResponseMember,
    leave_group_request::MemberIdentity,
    leave_group_response::MemberResponse,
    offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic},
    offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopic},
    sync_group_request::SyncGroupRequestAssignment,
};

use super::{Groups, member::Joiner};

fn duration(ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

#[async_trait]
impl Coordinator for Groups {
    async fn join(
        &self,
        _client_id: Option<&str>,
        group_id: &str,
        session_timeout_ms: i32,
        rebalance_timeout_ms: Option<i32>,
        member_id: &str,
        group_instance_id: Option<&str>,
        protocol_type: &str,
        protocols: Option<&[JoinGroupRequestProtocol]>,
        _reason: Option<&str>,
    ) -> Result<Body> {
        let protocols = protocols.unwrap_or_default().iter();
        let joiner = Joiner {
            member_id: member_id.to_owned(),
            instance_id: group_instance_id.map(ToOwned::to_owned),
            session: duration(session_timeout_ms),
            rebalance: duration(rebalance_timeout_ms.unwrap_or(session_timeout_ms)),
            protocol_type: protocol_type.to_owned(),
            protocols: protocols
                .map(|protocol| (protocol.name.clone(), protocol.metadata.clone()))
                .collect(),
        };
        let response = match self.join_group(group_id, joiner).await {
            Ok(place) => JoinGroupResponse::default()
                .error_code(ErrorCode::None.into())
                .generation_id(place.generation)
                .protocol_type(Some(place.protocol_type))
                .protocol_name(Some(place.protocol))
                .leader(place.leader)
                .member_id(place.member_id)
                .members(Some(
                    place
                        .members
                        .into_iter()
                        .map(|(id, instance, metadata)| {
                            JoinGroupResponseMember::default()
                                .member_id(id)
                                .group_instance_id(instance)
                                .metadata(metadata)
                        })
                        .collect(),
                )),
            Err(error) => JoinGroupResponse::default()
                .error_code(error.into())
                .generation_id(-1)
                .protocol_type(Some(String::new()))
                .protocol_name(Some(String::new()))
                .leader(String::new())
                .member_id(member_id.to_owned())
                .members(Some([].into())),
        };
        Ok(response
            .throttle_time_ms(Some(0))
            .skip_assignment(Some(false))
            .into())
    }

    async fn sync(
        &self,
        group_id: &str,
        generation_id: i32,
        member_id: &str,
        _group_instance_id: Option<&str>,
        protocol_type: Option<&str>,
        protocol_name: Option<&str>,
        assignments: Option<&[SyncGroupRequestAssignment]>,
    ) -> Result<Body> {
        let assignments = assignments.unwrap_or_default().iter();
        let assignments = assignments
            .map(|assignment| (assignment.member_id.clone(), assignment.assignment.clone()))
            .collect();
        let synced = self.sync_group(group_id, member_id, generation_id, assignments);
        let (error, assignment) = match synced.await {
            Ok(assignment) => (ErrorCode::None, assignment),
            Err(error) => (error, bytes::Bytes::new()),
        };
        Ok(SyncGroupResponse::default()
            .throttle_time_ms(Some(0))
            .error_code(error.into())
            .protocol_type(protocol_type.map(ToOwned::to_owned))
            .protocol_name(protocol_name.map(ToOwned::to_owned))
            .assignment(assignment)
            .into())
    }

    async fn heartbeat(
        &self,
        group_id: &str,
        generation_id: i32,
        member_id: &str,
        _group_instance_id: Option<&str>,
    ) -> Result<Body> {
        let beat = self.beat(group_id, member_id, generation_id);
        Ok(HeartbeatResponse::default()
            .throttle_time_ms(Some(0))
            .error_code(beat.err().unwrap_or(ErrorCode::None).into())
            .into())
    }

    async fn leave(
        &self,
        group_id: &str,
        member_id: Option<&str>,
        members: Option<&[MemberIdentity]>,
    ) -> Result<Body> {
        let leave = |id: &str| {
            self.leave_group(group_id, id)
                .err()
                .unwrap_or(ErrorCode::None)
        };
        let error = member_id
            .filter(|id| !id.is_empty())
            .map_or(ErrorCode::None, leave);
        let members = members.map(|members| {
            members
                .iter()
                .map(|member| {
                    MemberResponse::default()
                        .member_id(member.member_id.clone())
                        .group_instance_id(member.group_instance_id.clone())
                        .error_code(leave(&member.member_id).into())
                })
                .collect()
        });
        Ok(LeaveGroupResponse::default()
            .throttle_time_ms(Some(0))
            .error_code(error.into())
            .members(Some(members.unwrap_or_default()))
            .into())
    }

    async fn offset_commit(&self, detail: OffsetCommit<'_>) -> Result<Body> {
        let member_id = detail.member_id.unwrap_or_default();
        let generation = detail.generation_id_or_member_epoch.unwrap_or(-1);
        if let Err(error) = self.may_commit(detail.group_id, member_id, generation) {
            return Ok(refused(&detail, error));
        }
        // To the keeper of offsets every group is without members, and a commit from outside is welcome.
        self.offsets
            .offset_commit(OffsetCommit {
                generation_id_or_member_epoch: None,
                member_id: None,
                group_instance_id: None,
                ..detail
            })
            .await
    }

    async fn offset_fetch(
        &self,
        group_id: Option<&str>,
        topics: Option<&[OffsetFetchRequestTopic]>,
        groups: Option<&[OffsetFetchRequestGroup]>,
        require_stable: Option<bool>,
    ) -> Result<Body> {
        self.offsets
            .offset_fetch(group_id, topics, groups, require_stable)
            .await
    }
}

fn refused(detail: &OffsetCommit<'_>, error: ErrorCode) -> Body {
    let topics = detail.topics.unwrap_or_default().iter().map(|topic| {
        let partitions = topic.partitions.iter().flatten().map(|partition| {
            OffsetCommitResponsePartition::default()
                .partition_index(partition.partition_index)
                .error_code(error.into())
        });
        OffsetCommitResponseTopic::default()
            .name(topic.name.clone())
            .partitions(Some(partitions.collect()))
    });
    OffsetCommitResponse::default()
        .throttle_time_ms(Some(0))
        .topics(Some(topics.collect()))
        .into()
}
