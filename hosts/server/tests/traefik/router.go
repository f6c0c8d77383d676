package main

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// router stands in for Traefik's language of rules: it knows matchers that are joined by
// `&&`, and methods of which one has to match.
type router struct {
	routes []route
}

type route struct {
	host, path, prefix string
	methods            []string
	priority           int
	handler            http.Handler
}

var (
	matcher = regexp.MustCompile("(Host|Path|PathPrefix|Method)\\(`([^`]*)`\\)")
	between = regexp.MustCompile(`^[&|() ]*$`)
)

func (r *router) add(rule string, priority int, handler http.Handler) error {
	if !between.MatchString(matcher.ReplaceAllString(rule, "")) {
		return fmt.Errorf("a rule of another form: %s", rule)
	}
	added := route{priority: cmp.Or(priority, len(rule)), handler: handler}
	for _, found := range matcher.FindAllStringSubmatch(rule, -1) {
		switch found[1] {
		case "Host":
			added.host = found[2]
		case "Path":
			added.path = found[2]
		case "PathPrefix":
			added.prefix = found[2]
		case "Method":
			added.methods = append(added.methods, found[2])
		}
	}
	r.routes = append(r.routes, added)
	slices.SortFunc(r.routes, func(a, b route) int { return cmp.Compare(b.priority, a.priority) })
	return nil
}

func (r *router) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	for _, route := range r.routes {
		if route.matches(request) {
			route.handler.ServeHTTP(w, request)
			return
		}
	}
	http.NotFound(w, request)
}

func (r route) matches(request *http.Request) bool {
	host, _, err := net.SplitHostPort(request.Host)
	if err != nil {
		host = request.Host
	}
	path := request.URL.EscapedPath()
	return (r.host == "" || strings.EqualFold(host, r.host)) &&
		(r.path == "" || path == r.path) &&
		strings.HasPrefix(path, r.prefix) &&
		(len(r.methods) == 0 || slices.Contains(r.methods, request.Method))
}
