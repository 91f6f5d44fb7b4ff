//! What a programme is: a plain table of its words, routes, views, figures and pages.
