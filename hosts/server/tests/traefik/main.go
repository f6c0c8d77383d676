// Command traefik runs Traefik's own middlewares and its own reverse proxy with a file of
// its dynamic configuration: the one that `countersign proxy-config traefik` prints.
//
// Traefik's whole program needs modules that cannot be had everywhere. So what stands
// before the middlewares there, its entry point, is in entrypoint.go, and its
// language of rules is in router.go; both say what they stand in for.
package main

import (
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
	"github.com/traefik/traefik/v3/pkg/proxy/httputil"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: traefik dynamic.yaml")
	}
	var configuration dynamic.Configuration
	if err := file.Decode(os.Args[1], &configuration); err != nil {
		return err
	}
	routes, err := build(configuration.HTTP)
	if err != nil {
		return err
	}
	handler, err := entryPoint(routes)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	// The test reads it.
	fmt.Println(listener.Addr())
	return http.Serve(listener, handler)
}

// build makes the router of all routes.
func build(configuration *dynamic.HTTPConfiguration) (*router, error) {
	routes := &router{}
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
		if err := routes.add(route.Rule, route.Priority, handler); err != nil {
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
