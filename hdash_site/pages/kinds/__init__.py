"""One module a kind of page: `routes` says which pages there are, `page` makes the files of one."""
