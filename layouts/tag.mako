<%inherit file="base.mako"/>
<%namespace name="words" file="partials/words.mako"/>
<p class="crumbs"><a href="../">Tags</a></p>
<h1>${tag}</h1>
${words.articles(articles, root)}
