// Command traefik runs Traefik's own middlewares and its own reverse proxy with files of
// its dynamic configuration: those that `countersign proxy-config traefik` prints. Each file
// has a listener of its own, and the addresses are printed in the files' order.
//
// Traefik's whole program needs modules that cannot be had everywhere. So what stands
// before the routers there, its entry point, is in entrypoint.go, which says what it
// stands in for.
package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"

	"github.com/traefik/paerser/file"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/middlewares/addprefix"
	"github.com/traefik/traefik/v3/pkg/middlewares/auth"
	"github.com/traefik/traefik/v3/pkg/middlewares/headers"
	muxer "github.com/traefik/traefik/v3/pkg/muxer/http"
	"github.com/traefik/traefik/v3/pkg/proxy/httputil"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) < 2 {
		return fmt.Errorf("usage: traefik dynamic.yaml …")
	}
	ended := make(chan error)
	for _, path := range os.Args[1:] {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		handler, err := open(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		// The test reads it.
		fmt.Println(listener.Addr())
		go func() { ended <- http.Serve(listener, handler) }()
	}
	return <-ended
}

// open makes the handler of all requests from a file.
func open(path string) (http.Handler, error) {
	var configuration dynamic.Configuration
	if err := file.Decode(path, &configuration); err != nil {
		return nil, err
	}
	routes, err := build(configuration.HTTP)
	if err != nil {
		return nil, err
	}
	return entryPoint(routes)
}

// build makes Traefik's router of all routes.
func build(configuration *dynamic.HTTPConfiguration) (*muxer.Muxer, error) {
	parser, err := muxer.NewSyntaxParser()
	if err != nil {
		return nil, err
	}
	routes := muxer.NewMuxer(parser, nil)
	for name, route := range configuration.Routers {
		service, ok := configuration.Services[route.Service]
		if !ok || service.LoadBalancer == nil || len(service.LoadBalancer.Servers) != 1 {
			return nil, fmt.Errorf("the router %s has no service with one server", name)
		}
		handler, err := proxy(service.LoadBalancer.Servers[0].URL)
		if err != nil {
			return nil, err
		}
		handler, err = wrap(configuration, route.Middlewares, handler)
		if err != nil {
			return nil, fmt.Errorf("the router %s: %w", name, err)
		}
		priority := cmp.Or(route.Priority, muxer.GetRulePriority(route.Rule))
		if err := routes.AddRoute(route.Rule, route.RuleSyntax, priority, "file", handler); err != nil {
			return nil, err
		}
	}
	return routes, nil
}

// wrap puts middlewares around a handler, the first outermost.
func wrap(configuration *dynamic.HTTPConfiguration, names []string, handler http.Handler) (http.Handler, error) {
	ctx := context.Background()
	for i := len(names) - 1; i >= 0; i-- {
		name := names[i]
		middleware, ok := configuration.Middlewares[name]
		var err error
		switch {
		case !ok:
			err = fmt.Errorf("there is no middleware %s", name)
		case middleware.Chain != nil:
			handler, err = wrap(configuration, middleware.Chain.Middlewares, handler)
		case middleware.Headers != nil:
			handler, err = headers.New(ctx, handler, *middleware.Headers, name)
		case middleware.ForwardAuth != nil:
			handler, err = auth.NewForward(ctx, handler, *middleware.ForwardAuth, name)
		case middleware.AddPrefix != nil:
			handler, err = addprefix.New(ctx, handler, *middleware.AddPrefix, name)
		default:
			err = fmt.Errorf("the middleware %s is of a kind that is not here", name)
		}
		if err != nil {
			return nil, err
		}
	}
	return handler, nil
}

// transports gives one transport to all services.
type transports struct {
	httputil.TransportManager
}

func (transports) GetRoundTripper(string) (http.RoundTripper, error) {
	return http.DefaultTransport.(*http.Transport).Clone(), nil
}

// proxy is Traefik's reverse proxy to one server.
func proxy(server string) (http.Handler, error) {
	target, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	return httputil.NewProxyBuilder(transports{}, nil).Build("", target, true, false, 0)
}
