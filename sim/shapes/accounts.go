package shapes

import (
	"strconv"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
)

// Deposit is what every account of a bank begins with.
const Deposit = 100

// Account is the key of an account, an item of a table without sort key.
func Account(n int) attr.Map { return Shape{}.Key(n, 0) }

// OpenAccount puts an account that is not there.
func OpenAccount(n int, tag int64) command.Command {
	return command.Command{
		Action: command.Put, Key: Shape{}.Suffix(Account(n)), Condition: Condition("attribute_not_exists(" + Hash + ")"),
		Item: Account(n).With(Count, attr.Int(Deposit)).With(Tag, attr.Int(tag)),
	}
}

// Payment adds to an account, which must not fall below 0.
func Payment(account int, amount, tag int64) command.Command {
	values := []attr.Entry{
		{Name: ":amount", Value: attr.Int(amount)}, {Name: ":tag", Value: attr.Int(tag)}, {Name: ":least", Value: attr.Int(-amount)},
	}
	key := Account(account)
	return command.Command{
		Action: command.Update, Key: Shape{}.Suffix(key), Item: key,
		Update: update("SET tag = :tag ADD n :amount", values), Condition: condition("n >= :least", attr.NewMap(values)),
	}
}

// CheckAccount sees that an account is there.
func CheckAccount(account int) command.Command {
	return command.Command{
		Action: command.Check, Key: Shape{}.Suffix(Account(account)), Condition: Condition("attribute_exists(" + Hash + ")"),
	}
}

// TagOf is the tag of the write that left an item as it is.
func TagOf(item attr.Map) int64 { return numberOf(item, Tag) }

// BalanceOf is what an account holds.
func BalanceOf(item attr.Map) int64 { return numberOf(item, Count) }

func numberOf(item attr.Map, name string) (n int64) {
	if v, ok := item.Get(name); ok {
		n, _ = strconv.ParseInt(string(v.Number().Append(nil)), 10, 64) // tellers write nothing else
	}
	return n
}
