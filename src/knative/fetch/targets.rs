//! What is referred to and is of no kind that was read: Services, Knative Services, sinks.

use super::Reader;
use crate::knative::resource::Resources;

pub(super) async fn read(_reader: &Reader<'_>, _resources: &mut Resources) {}
