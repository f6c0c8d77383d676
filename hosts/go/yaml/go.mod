module github.com/countersign/countersign/hosts/go/yaml

go 1.25.0

require go.yaml.in/yaml/v4 v4.0.0
