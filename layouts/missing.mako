<%inherit file="base.mako"/>
<h1>There is no such page</h1>
<p>The page may have been renamed, or its atlas or manifest is gone. <a href="${root}">All atlases</a> are on the home page.</p>
