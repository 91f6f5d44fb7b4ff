//! The health axis: immutable facts, the timeline, views, corrections and parked facts.
