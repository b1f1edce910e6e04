<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="robots" content="noindex">
<meta http-equiv="refresh" content="0; url=${target}">
<link rel="canonical" href="${target}">
<title>This page has moved</title>
<p>This page has moved: <a href="${target}">it is here now</a>.</p>
</html>
