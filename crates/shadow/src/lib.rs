//! The rules of the Device Shadow (spec 10), without I/O.
//!
//! A shadow is what is known of the state of a thing: what it is to be (`desired`) and what it says
//! it is (`reported`). Everything here takes bytes, values and the present time and returns values:
//!
//! * [`ShadowId`]: whose shadow it is; [`RequestTopic`]: what a publish on a reserved topic asks for.
//! * [`Request`]: a request, checked; [`Rejected`] and [`Fault`]: why it is none.
//! * [`Kept`]: what is kept of a shadow, in the form in which it is kept; it answers requests.
//!
//! Numbers stay as they were written: `1.10` comes back as `1.10`, and an integer of thirty digits
//! with all of them. Members stay in the order in which they first came.

mod answer;
mod document;
mod fault;
mod id;
mod json;
mod kept;
mod limits;
mod node;
mod number;
mod request;
mod topic;

pub use answer::{Answer, Kind, rejected};
pub use document::Unreadable;
pub use fault::{Fault, Rejected};
pub use id::{BadName, ShadowId, check_thing_name};
pub use kept::{Content, Done, Kept};
pub use limits::{
    CLIENT_TOKEN_BYTES, LEVELS, REQUEST_BYTES, SHADOW_NAME_BYTES, STATE_BYTES, THING_NAME_BYTES,
    VERSION_LIFE,
};
pub use request::{Asked, Request, Update};
pub use topic::{Operation, PREFIX, RequestTopic, is_open_to_subscribers};
