//! Page shell, form kit, tables, charts, words, sessions' cookies, CSRF and the style sheet.
