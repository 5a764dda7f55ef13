//! Making it: one request that is never sent twice, and what became of it.

use http::Method;
use serde::Deserialize;

use super::{Aim, Made, Output, Seen, time};
use crate::{
    Error, ErrorKind,
    answer::{Answer, Change},
    palette::{
        Ask, Fault,
        api::lenient,
        operate::{
            follow::{self, Ended},
            taken,
        },
        said::said,
    },
};

/// `v1Uid`
#[derive(Default, Deserialize)]
#[serde(default)]
struct Uid {
    #[serde(deserialize_with = "lenient")]
    uid: String,
}

impl Aim<'_> {
    pub(super) async fn make(&self, seen: Seen) -> Result<Answer<Output>, Error> {
        let segments = ["spectroclusters", self.input.cloud.name()];
        let ask = Ask::change(Method::POST, &segments, Some(seen.body.clone()));
        let answer = match self.access.send(self.place, ask).await {
            Ok(answer) => answer,
            Err(Fault::Uncertain(why)) => return Err(seen.hidden.error(self.unknown(&why).await)),
            Err(fault) => return Err(seen.hidden.error(self.refused(fault))),
        };
        let uid = serde_json::from_slice::<Uid>(&answer).unwrap_or_default().uid;
        if uid.is_empty() {
            let why = Fault::Malformed("it does not tell the uid".to_owned());
            return Err(self.unknown(&why).await);
        }
        self.call.tell(&format!("{} is being made ({})", self.what(), said(&uid, 40)));
        let at = (self.access, self.place, uid.as_str());
        let followed = follow::follow(self.call, at, time(self.input), follow::made).await;
        let state = followed.state().map(|state| said(state, 40));
        let shown = state.as_deref().map_or(String::new(), |state| format!(", it is {state}"));
        let summary = format!(
            "{} was made ({}){shown}. {}",
            self.what(),
            said(&uid, 40),
            followed.sentence("until it runs")
        );
        let made = Made { uid, state, ended: Some(followed.ended.name()), unmet: followed.unmet() };
        let answer = self.answer(summary, &seen, Some(made)).change(Change::Made);
        Ok(if followed.ended == Ended::Failed { answer.failed() } else { answer })
    }

    fn refused(&self, fault: Fault) -> Error {
        let what = self.what();
        match &fault {
            Fault::Status { status: 409, .. } => Error::new(
                ErrorKind::Conflict,
                format!(
                    "{what} was not made: {fault}; somebody may have made one of that name at the same moment"
                ),
            )
            .next("palette_clusters lists what is there; plan again with another name"),
            Fault::Status { status: 400 | 422, .. } => {
                Error::invalid_input(format!("{what} was not made: {fault}"))
                    .next("change the arguments, and plan again")
            }
            _ => {
                let error = Error::from(fault);
                Error { message: format!("{what} was not made: {}", error.message), ..error }
            }
        }
    }

    /// The answer was lost: whether the cluster was made is looked up, by its name, and it is not sent again.
    async fn unknown(&self, why: &Fault) -> Error {
        let what = self.what();
        let lost = format!("the create of {what} was sent once and its answer was lost ({why})");
        let (says, next) = match taken::by(self.access, self.place, &self.input.name).await {
            Ok(Some(there)) => (
                format!(
                    "there is now a cluster of that name ({}, {}), which was not there before: it was most likely made by \
                     this call",
                    there.uid,
                    said(&there.state, 40)
                ),
                format!("do not create it again; {}", self.go_on(&there.uid)),
            ),
            Ok(None) => (
                "UNKNOWN WHETHER IT WAS MADE: Palette lists no cluster of that name yet".to_owned(),
                "look with palette_clusters in a minute, and plan again only if it is not there then"
                    .to_owned(),
            ),
            Err(fault) => (
                format!("UNKNOWN WHETHER IT WAS MADE: it could not be looked up either ({fault})"),
                "once Palette answers, look with palette_clusters, and plan again only if it is not there"
                    .to_owned(),
            ),
        };
        Error::new(ErrorKind::Upstream { status: None, retryable: false }, format!("{lost}; {says}"))
            .next(next)
    }
}
