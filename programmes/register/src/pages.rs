//! pages
pub(crate) fn routes() -> Vec<kangmai_programme::Route> {
    vec![]
}
