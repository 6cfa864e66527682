//! `GET /api/links` and `GET /api/links/{linkId}`: reads links.

use super::{
    LINK, WireShortLink,
    counts::{ReadLink, with_counts},
};
use crate::{
    app::App,
    auth::{Access, CommandTurn, Permission},
    command::{Answer, Command, Parameter, Subject, Verb, WORKSPACE},
    extract::{ObjectId, Query},
    manage::{asked::Asked, counts, plain},
    paging::Paging,
    refusals,
    store::{
        self,
        short_links::{Filter, Order},
    },
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::{Document, boolean, text, uuid, word_of},
};
use std::sync::Arc;

pub(super) const LIST_SHORT_LINKS: Command = Command {
    id: "links.list",
    verb: Verb::Get,
    path: "/api/links",
    permission: Permission("links:read"),
    handler: ("list_short_links", |by| on(by, list_short_links)),
    summary: "The links of the workspace, those of its bio pages included.",
    about: "The newest first, unless `sort` and `order` say otherwise. Links with equal values are in the order of their creation.",
    query: &[
        Parameter {
            name: "search",
            schema: || {
                text(200).about("A text in the code, the destination, the title or the description. Compared as it is, without case.")
            },
        },
        Parameter {
            name: "campaignId",
            schema: || uuid().about("Only links of this campaign."),
        },
        Parameter {
            name: "folderId",
            schema: || uuid().about("Only links in this folder."),
        },
        Parameter {
            name: "tag",
            schema: || text(plain::MAX_NAME_CHARS).about("Only links with the tag of this name."),
        },
        Parameter {
            name: "domain",
            schema: || text(253).about("Only links on this host."),
        },
        Parameter {
            name: "enabled",
            schema: || boolean().about("Only links that are on, or off."),
        },
        Parameter {
            name: "deleted",
            schema: || {
                boolean()
                    .default(false)
                    .about("Whether the list has the deleted links instead.")
            },
        },
        Parameter {
            name: "sort",
            schema: || word_of(&SORTS).default("createdAt"),
        },
        Parameter {
            name: "order",
            schema: || word_of(&ORDERS).about("`desc` by default for times, `asc` for texts."),
        },
        counts::INCLUDE,
    ],
    answer: Answer::List("A page of links.", Document::type_of::<ReadLink>),
    ..WORKSPACE
};

pub(super) const GET_SHORT_LINK: Command = Command {
    id: "links.get",
    verb: Verb::Get,
    path: "/api/links/{linkId}",
    subject: Subject::Object(LINK),
    permission: Permission("links:read"),
    handler: ("get_short_link", |by| on(by, get_short_link)),
    summary: "A link.",
    query: &[counts::INCLUDE],
    answer: Answer::Data(StatusCode::OK, "The link.", Document::type_of::<ReadLink>),
    refusals: || vec![refusals::short_link_not_found()],
    ..WORKSPACE
};

const SORTS: [&str; 4] = ["createdAt", "updatedAt", "title", "shortCode"];
const ORDERS: [&str; 2] = ["asc", "desc"];

/// A page of the workspace's links.
pub(crate) async fn list_short_links(
    State(app): State<Arc<App>>,
    access: Access,
    turn: CommandTurn,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query)?;
    let mut asked = Asked::new(&query);
    let sort = asked.word("sort", &SORTS);
    let order = asked.word("order", &ORDERS);
    let filter = Filter {
        deleted: asked.flag("deleted").unwrap_or(false),
        search: asked.search(),
        campaign_id: asked.id("campaignId"),
        folder_id: asked.id("folderId"),
        tag: asked.text("tag").map(|tag| plain::folded(tag.trim())),
        enabled: asked.flag("enabled"),
        host: asked.text("domain").map(|host| {
            let host = host.to_ascii_lowercase();
            if host == app.short_urls.own_host() {
                String::new()
            } else {
                host
            }
        }),
    };
    let wanted = counts::wanted(&mut asked, &access, &turn)?;
    asked.finish()?;
    let sort = match sort {
        Some("updatedAt") => Order::Updated,
        Some("title") => Order::Title,
        Some("shortCode") => Order::Code,
        _ => Order::Created,
    };
    let descending = match order {
        Some(order) => order == "desc",
        None => matches!(sort, Order::Created | Order::Updated),
    };
    let mut tx = app.main.pool()?.begin().await?;
    let (links, total) = store::short_links::list(
        &mut tx,
        access.tenant()?.workspace.id,
        &filter,
        (sort, descending),
        paging.limit_and_offset(),
    )
    .await?;
    tx.commit().await?;
    let links = links.into_iter();
    let links = links.map(|link| WireShortLink::new(link, &app.short_urls));
    let links = with_counts(&app, links.collect(), wanted).await?;
    Ok(paging.answer(&links, total))
}

/// A link of the workspace, or 404.
pub(crate) async fn get_short_link(
    State(app): State<Arc<App>>,
    access: Access,
    turn: CommandTurn,
    id: ObjectId,
    query: Query,
) -> Result<Response, ApiError> {
    let mut asked = Asked::new(&query);
    let wanted = counts::wanted(&mut asked, &access, &turn)?;
    asked.finish()?;
    let id = id.get(refusals::short_link_not_found)?;
    let workspace_id = access.tenant()?.workspace.id;
    let link = store::short_links::find(app.main.pool()?, id, workspace_id).await?;
    let link = link.filter(|link| link.deleted_at.is_none());
    let link = link.ok_or_else(refusals::short_link_not_found)?;
    let link = WireShortLink::new(link, &app.short_urls);
    let links = with_counts(&app, vec![link], wanted).await?;
    Ok(ok(links.into_iter().next()))
}
