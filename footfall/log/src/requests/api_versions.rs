//! `ApiVersions`: lists the supported requests and their versions.

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{ApiVersionsRequest, ApiVersionsResponse, api_versions_response::ApiVersion},
};

use crate::wire::{
    apis::APIS,
    frame::{self, EncodeError, Head},
};

/// Every client can read an error in this version.
const OLDEST: i16 = 0;

/// Answers with the list.
///
/// It omits the tagged fields of newer versions, because librdkafka before 2.1 (kcat of Debian 12) misreads them.
pub(crate) fn serve(request: &ApiVersionsRequest, version: i16) -> ApiVersionsResponse {
    // From version 3 on clients send their name and version. Kafka refuses empty ones.
    let nameless =
        request.client_software_name.is_empty() || request.client_software_version.is_empty();
    if version >= 3 && nameless {
        return list().with_error_code(ResponseError::InvalidRequest.code());
    }
    list()
}

/// Answers a request in an unsupported version, without reading its body. The client does not know the supported
/// versions yet, so the response has the oldest form and lists them.
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
