//! The deliveries of a webhook: their list, a test message, and sending one again.

use super::{WEBHOOK, errors, wire::WireDelivery};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Parameter, Subject, Verb, WORKSPACE},
    extract::{ObjectId, ObjectIds, Query},
    manage::{asked::Asked, work::Work},
    paging::Paging,
    store::{self, Tx, webhooks::Webhook},
    webhooks::{MAX_WAITING, test_delivery},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::on,
};
use runtime::{
    http::{ApiError, ok},
    openapi::{Document, word_of},
};
use std::sync::Arc;

/// The states of deliveries.
const STATES: [&str; 3] = ["waiting", "delivered", "failed"];

pub(super) const LIST_WEBHOOK_DELIVERIES: Command = Command {
    id: "webhooks.deliveries",
    verb: Verb::Get,
    path: "/api/webhooks/{webhookId}/deliveries",
    subject: Subject::Object(WEBHOOK),
    permission: Permission("webhooks:read"),
    handler: ("list_webhook_deliveries", |by| {
        on(by, list_webhook_deliveries)
    }),
    summary: "The deliveries of a webhook, the newest first.",
    about: "Finished ones are kept for 30 days, and at most the newest 5,000.",
    query: &[Parameter {
        name: "state",
        schema: || word_of(&STATES),
    }],
    answer: Answer::List("A page of deliveries.", Document::type_of::<WireDelivery>),
    refusals: || vec![errors::not_found()],
    ..WORKSPACE
};

pub(super) const TEST_WEBHOOK: Command = Command {
    id: "webhooks.test",
    verb: Verb::Post,
    path: "/api/webhooks/{webhookId}/test",
    subject: Subject::Object(WEBHOOK),
    permission: Permission("webhooks:update"),
    handler: ("test_webhook", |by| on(by, test_webhook)),
    summary: "Sends a message of the type `test`.",
    about: "It is sent like an event, a moment after the answer; the list of deliveries has the result.",
    answer: Answer::Data(
        StatusCode::ACCEPTED,
        "The delivery.",
        Document::type_of::<WireDelivery>,
    ),
    refusals: || {
        vec![
            errors::not_found(),
            errors::disabled(),
            errors::queue_full(),
        ]
    },
    ..WORKSPACE
};

pub(super) const REDELIVER: Command = Command {
    id: "webhooks.redeliver",
    verb: Verb::Post,
    path: "/api/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver",
    subject: Subject::Object(WEBHOOK),
    permission: Permission("webhooks:update"),
    handler: ("redeliver_webhook", |by| on(by, redeliver_webhook)),
    summary: "Sends a finished delivery again.",
    about: "It has the same `webhook-id`, event id and body, and all attempts again.",
    answer: Answer::Data(
        StatusCode::ACCEPTED,
        "The delivery.",
        Document::type_of::<WireDelivery>,
    ),
    refusals: || {
        vec![
            errors::not_found(),
            errors::delivery_not_found(),
            errors::disabled(),
            errors::delivery_waiting(),
            errors::queue_full(),
        ]
    },
    ..WORKSPACE
};

/// A page of a webhook's deliveries.
pub(crate) async fn list_webhook_deliveries(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    query: Query,
) -> Result<Response, ApiError> {
    let id = id.get(errors::not_found)?;
    let paging = Paging::read(&query)?;
    let mut asked = Asked::new(&query);
    let state = asked.word("state", &STATES);
    asked.finish()?;
    let workspace_id = access.tenant()?.workspace.id;
    let mut connection = app.main.pool()?.acquire().await?;
    let found: Option<Webhook> = store::find(&mut *connection, id, workspace_id).await?;
    found.ok_or_else(errors::not_found)?;
    let place = paging.limit_and_offset();
    let (deliveries, total) =
        store::webhook_deliveries::list(&mut connection, id, state, place).await?;
    let deliveries = deliveries.into_iter().map(WireDelivery::try_from);
    let deliveries: Vec<WireDelivery> = deliveries.collect::<Result<_, _>>()?;
    Ok(paging.answer(&deliveries, total))
}

/// Sends a test message: 202.
pub(crate) async fn test_webhook(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let (mut work, webhook) = Work::on::<Webhook>(&app, &access, id).await?;
    check(&mut work.tx, &webhook).await?;
    let (id, now) = (webhook.id, work.now);
    let new = test_delivery(app.ids.uuid_v7(now), now, (id, webhook.workspace_id))?;
    let new = [new];
    store::webhook_feeds::add(&mut work.tx, id, &new, now).await?;
    let [new] = new;
    let added = store::webhook_deliveries::find(&mut work.tx, new.id, id).await?;
    // A delivery changes nothing of the workspace, so it has no audit row.
    work.commit_all(Vec::new()).await?;
    app.webhooks.waiting.notify_one();
    let added = added.ok_or_else(|| ApiError::internal("a test message was not stored"))?;
    Ok((StatusCode::ACCEPTED, ok(WireDelivery::try_from(added)?)).into_response())
}

/// Sends a delivery again: 202.
pub(crate) async fn redeliver_webhook(
    State(app): State<Arc<App>>,
    access: Access,
    ids: ObjectIds,
) -> Result<Response, ApiError> {
    let id = ids.first.ok_or_else(errors::not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut work = Work::begin(&app, tenant, now).await?;
    let webhook = store::find::<Webhook>(&mut *work.tx, id, tenant.workspace.id).await?;
    let webhook = webhook.ok_or_else(errors::not_found)?;
    let delivery_id = ids.second.ok_or_else(errors::delivery_not_found)?;
    let found = store::webhook_deliveries::find(&mut work.tx, delivery_id, id).await?;
    let found = found.ok_or_else(errors::delivery_not_found)?;
    check(&mut work.tx, &webhook).await?;
    if found.state == "waiting" {
        return Err(errors::delivery_waiting());
    }
    let again = store::webhook_deliveries::again(&mut work.tx, delivery_id, now).await?;
    work.commit_all(Vec::new()).await?;
    app.webhooks.waiting.notify_one();
    Ok((StatusCode::ACCEPTED, ok(WireDelivery::try_from(again)?)).into_response())
}

/// Refuses to send to a webhook that is switched off or has a full queue.
async fn check(tx: &mut Tx<'_>, webhook: &Webhook) -> Result<(), ApiError> {
    if !webhook.enabled {
        return Err(errors::disabled());
    }
    let waiting = store::webhook_deliveries::count_waiting(tx, webhook.id).await?;
    if waiting >= MAX_WAITING {
        return Err(errors::queue_full());
    }
    Ok(())
}
