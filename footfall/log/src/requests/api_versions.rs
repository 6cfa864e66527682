//! `ApiVersions`: which requests are offered, in which versions.

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{ApiVersionsRequest, ApiVersionsResponse, api_versions_response::ApiVersion},
};

use crate::wire::{
    apis::APIS,
    frame::{self, EncodeError, Head},
};

/// The version in which every client can read an error.
const OLDEST: i16 = 0;

/// The list.
///
/// Without the tagged fields that newer versions allow: librdkafka before 2.1, which kcat of Debian 12 has, misreads any.
pub(crate) fn serve(request: &ApiVersionsRequest, version: i16) -> ApiVersionsResponse {
    // From the third version on clients say who they are; Kafka refuses those that leave it empty.
    let nameless =
        request.client_software_name.is_empty() || request.client_software_version.is_empty();
    if version >= 3 && nameless {
        return list().with_error_code(ResponseError::InvalidRequest.code());
    }
    list()
}

/// The answer to a request of a version that we do not know. Its body cannot be read, and the client cannot know ours:
/// it reads the oldest form, which tells it the versions that we have.
pub(crate) fn too_new(head: &Head) -> Result<Bytes, EncodeError> {
    let response = list().with_error_code(ResponseError::UnsupportedVersion.code());
    frame::encode(head, OLDEST, &response)
}

fn list() -> ApiVersionsResponse {
    let keys = APIS.iter().map(|api| {
        ApiVersion::default()
            .with_api_key(api.key as i16)
            .with_min_version(api.oldest)
            .with_max_version(api.newest)
    });
    ApiVersionsResponse::default().with_api_keys(keys.collect())
}
