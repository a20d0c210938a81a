package scaling

import (
	"testing"
	"time"
)

func TestScheduleNext(t *testing.T) {
	for _, test := range []struct {
		schedule, zone, after, want string
	}{
		{"at(2026-03-01T10:00:00)", "", "2026-02-01T00:00:00", "2026-03-01T10:00:00"},
		{"at(2026-03-01T10:00:00)", "America/New_York", "2026-02-01T00:00:00", "2026-03-01T15:00:00"},
		{"at(2026-03-01T10:00:00)", "", "2026-03-01T10:00:00", ""},
		{"rate(1 minute)", "", "2026-02-01T00:00:30", "2026-02-01T00:01:00"},
		{"rate(3 hours)", "", "2026-02-01T03:00:00", "2026-02-01T06:00:00"},
		{"rate(1 day)", "", "2020-01-01T00:00:00", "2026-02-01T00:00:00"},
		{"rate(1 day)", "", "2026-02-01T00:00:00", "2026-02-02T00:00:00"},
		{"cron(15 10 * * ? *)", "", "2026-02-01T10:15:00", "2026-02-02T10:15:00"},
		{"cron(0/20 8-9 ? * MON-FRI *)", "", "2026-02-06T09:40:00", "2026-02-09T08:00:00"},
		{"cron(5,35 14 ? JAN,mar 2 *)", "", "2026-01-26T14:35:00", "2026-03-02T14:05:00"},
		{"cron(0 0 L * ? *)", "", "2028-02-01T00:00:00", "2028-02-29T00:00:00"},
		{"cron(0 0 15W * ? *)", "", "2026-08-01T00:00:00", "2026-08-14T00:00:00"},
		{"cron(0 0 1W * ? *)", "", "2026-07-31T00:00:00", "2026-08-03T00:00:00"},
		{"cron(0 0 31W * ? *)", "", "2026-05-02T00:00:00", "2026-05-29T00:00:00"},
		{"cron(0 0 ? * 6#3 *)", "", "2026-02-01T00:00:00", "2026-02-20T00:00:00"},
		{"cron(0 0 ? * FRIL *)", "", "2026-02-01T00:00:00", "2026-02-27T00:00:00"},
		{"cron(0 0 ? * L *)", "", "2026-02-01T00:00:00", "2026-02-07T00:00:00"},
		{"cron(0 0 29 2 ? 2027)", "", "2026-02-01T00:00:00", ""},
		{"cron(0 0 29 2 ? 2027-2032)", "", "2026-02-01T00:00:00", "2028-02-29T00:00:00"},
		{"cron(0 0 1 1 ? 1999)", "", "2026-02-01T00:00:00", ""},
		// In spring 02:30 is 03:30, in autumn one of two counts.
		{"cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T12:00:00", "2026-03-29T01:30:00"},
		{"cron(30 2 25 * ? *)", "Europe/Berlin", "2026-10-01T00:00:00", "2026-10-25T01:30:00"},
	} {
		s, text := ParseSchedule(test.schedule, test.zone)
		if text != "" {
			t.Errorf("%s: %s", test.schedule, text)
			continue
		}
		next, ok := s.next(moment(t, test.after), moment(t, "2026-02-01T00:00:00"))
		if got := next.UTC().Format(atLayout); ok != (test.want != "") || ok && got != test.want {
			t.Errorf("%s in %q after %s: %s %v, want %s", test.schedule, test.zone, test.after, got, ok, test.want)
		}
	}
}

func TestScheduleRefused(t *testing.T) {
	for _, schedule := range []string{
		"", "at()", "at(2026-03-01)", "at(2026-03-01T10:00:00", "rate(0 minutes)", "rate(1 minutes)", "rate(2 minute)", "rate(5 seconds)",
		"rate(-1 hours)", "rate(9223372036854775807 days)", "cron(* * * * *)", "cron(* * * * * *)", "cron(* * ? * ? *)", "cron(60 * * * ? *)",
		"cron(* 24 * * ? *)", "cron(* * 0 * ? *)", "cron(* * * 13 ? *)", "cron(* * ? * 8 *)", "cron(* * * * ? 1969)", "cron(5-1 * * * ? *)",
		"cron(*/0 * * * ? *)", "cron(* * 32W * ? *)", "cron(* * ? * 6#6 *)", "cron(* * ? * #1 *)", "cron(, * * * ? *)", "every(1 day)",
	} {
		if _, text := ParseSchedule(schedule, ""); text == "" {
			t.Errorf("%q is taken", schedule)
		}
	}
	for _, zone := range []string{"Nowhere", "Local", "../etc/passwd"} {
		if _, text := ParseSchedule("rate(1 day)", zone); text == "" {
			t.Errorf("zone %q is taken", zone)
		}
	}
}

func FuzzParseSchedule(f *testing.F) {
	for _, seed := range []string{"at(2026-03-01T10:00:00)", "rate(2 days)", "cron(0/5 8-9 ? * 6#3 2027)", "cron(0 0 LW * ? *)", "cron(0 0 1,2-9/3 JAN ? *)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, refused := ParseSchedule(text, "")
		if refused != "" {
			return
		}
		after := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
		if next, ok := s.next(after, after); ok && !next.After(after) {
			t.Errorf("%q after %s is %s", text, after, next)
		}
	})
}
