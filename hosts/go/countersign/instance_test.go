package countersign

import "testing"

func TestAClosedInstanceAnswersWithAnError(t *testing.T) {
	instance, err := OpenInstance(t.Context(), []byte(text(policyOf(object{
		"name": "platform", "issuer": "https://a.test", "audiences": "any", "algorithms": []string{"RS256"},
		"keys": object{"jwks_uri": "https://a.test/jwks"},
	}))))
	if err != nil {
		t.Fatal(err)
	}
	instance.Close()
	if _, err := instance.Due(1); err == nil {
		t.Error("due answers")
	}
	if _, err := instance.Supply(0, "https://a.test/jwks", &Response{Status: 200, Body: []byte("{}")}, 1); err == nil {
		t.Error("supply answers")
	}
	instance.Close()
}

func TestMemoryGrowsWithoutACopy(t *testing.T) {
	const maximum = 1 << 30
	memory := reserve(maximum)
	if memory == nil {
		t.Skip("skipped: this system reserves no addresses")
	}
	defer memory.Free()
	small := memory.Reallocate(64 << 10)
	small[0] = 7
	large := memory.Reallocate(64 << 20)
	if large[0] != 7 || large[64<<20-1] != 0 || &small[0] != &large[0] {
		t.Error("it was copied, or what is new is not zero")
	}
	if memory.Reallocate(maximum+1) != nil {
		t.Error("it grew beyond its reservation")
	}
}
