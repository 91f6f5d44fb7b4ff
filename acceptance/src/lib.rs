//! Journeys over HTTP on both databases, browser journeys, load profiles and the invariants of the house.
