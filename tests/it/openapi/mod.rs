//! The OpenAPI document: whether it is one, whether it has every route, whether every answer is as it
//! says.

mod answers;
mod checker;
mod document;
mod limits;
mod routes;
