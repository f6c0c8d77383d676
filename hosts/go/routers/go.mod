module github.com/countersign/countersign/hosts/go/routers

go 1.25.0

replace github.com/countersign/countersign/hosts/go => ../

require (
	github.com/countersign/countersign/hosts/go v0.0.0-00010101000000-000000000000
	github.com/go-chi/chi/v5 v5.5.0
	golang.org/x/net v0.53.0
)

require (
	github.com/tetratelabs/wazero v1.12.0 // indirect
	golang.org/x/sys v0.44.0 // indirect
	golang.org/x/text v0.36.0 // indirect
)
