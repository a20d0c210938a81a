package chaos_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"stator/sim/history"
)

const (
	bankTable = "accounts"
	accounts  = 12
	deposit   = 100
)

// bank moves money between items by transactions and reads all of them together: the sum stays, and there is an order in which every
// transaction saw what the one before it left.
type bank struct {
	*workload
	mu     sync.Mutex // guards what follows
	deeds  []*history.Deed
	wrongs []string
	audits int
}

func (b *bank) create(c client) {
	c.plainTable(bankTable)
	for account := range accounts {
		d := &history.Deed{Client: -1, Begun: b.now(), Tag: b.tag(), Wrote: []int{account}}
		i := accountKey(account)
		i["n"], i["tag"] = num(strconv.Itoa(deposit)), num(strconv.FormatInt(d.Tag, 10))
		if _, err := c.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String(bankTable), Item: i}); err != nil {
			c.t.Fatalf("opening an account: %v", err)
		}
		b.keep(d, nil)
	}
}

func accountKey(account int) item { return item{"pk": str(fmt.Sprintf("account-%d", account))} }

// keep enters a deed that was done, with what it saw.
func (b *bank) keep(d *history.Deed, saw []int64) {
	d.End, d.Saw = b.now(), saw
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deeds = append(b.deeds, d)
}

func (b *bank) step(ctx context.Context, number int) error {
	if rand.IntN(4) == 0 {
		return b.audit(ctx, number)
	}
	return b.transfer(ctx, number)
}

// look reads accounts together. None: they would not keep still.
func (b *bank) look(ctx context.Context, number int, which []int) (found []item, err error) {
	d := &history.Deed{Client: number, Begun: b.now(), Looked: which}
	var gets []types.TransactGetItem
	for _, account := range which {
		gets = append(gets, types.TransactGetItem{Get: &types.Get{TableName: aws.String(bankTable), Key: accountKey(account)}})
	}
	out, err := b.any().TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: gets})
	if refused(err, "TransactionCanceledException") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var saw []int64
	for _, each := range out.Responses {
		found, saw = append(found, each.Item), append(saw, tagOf(each.Item))
	}
	b.keep(d, saw)
	return found, nil
}

// audit adds up all accounts.
func (b *bank) audit(ctx context.Context, number int) error {
	all := make([]int, accounts)
	for account := range all {
		all[account] = account
	}
	found, err := b.look(ctx, number, all)
	if found == nil {
		return err
	}
	sum := 0
	for _, each := range found {
		sum += balanceOf(each)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.audits++
	if sum != accounts*deposit {
		b.wrongs = append(b.wrongs, fmt.Sprintf("%d accounts hold %d, not %d", accounts, sum, accounts*deposit))
	}
	return nil
}

func balanceOf(i item) int {
	n, ok := i["n"].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	balance, _ := strconv.Atoi(n.Value) // whatever else is there makes the sum wrong
	return balance
}

// transfer moves money between accounts that are still what they were when they were looked at.
func (b *bank) transfer(ctx context.Context, number int) error {
	which := rand.Perm(accounts)[:2+rand.IntN(2)]
	found, err := b.look(ctx, number, which)
	if found == nil {
		return err
	}
	d := &history.Deed{Client: number, Begun: b.now(), Tag: b.tag(), Wrote: which, Looked: which}
	var saw []int64
	var updates []types.TransactWriteItem
	amount, moved := 1+rand.IntN(20), 0
	for i, account := range which {
		change := amount
		if i == len(which)-1 {
			change = -moved
		}
		moved += change
		saw = append(saw, tagOf(found[i]))
		updates = append(updates, types.TransactWriteItem{Update: &types.Update{
			TableName: aws.String(bankTable), Key: accountKey(account), UpdateExpression: aws.String("SET tag = :tag ADD n :change"),
			ConditionExpression: aws.String("tag = :was"), ExpressionAttributeValues: item{
				":tag": num(strconv.FormatInt(d.Tag, 10)), ":was": num(strconv.FormatInt(tagOf(found[i]), 10)), ":change": num(strconv.Itoa(change)),
			},
		}})
	}
	in := &dynamodb.TransactWriteItemsInput{TransactItems: updates, ClientRequestToken: aws.String(strconv.FormatInt(d.Tag, 10))}
	tries := 1
	if _, err = b.any().TransactWriteItems(ctx, in); err != nil && !refused(err, "TransactionCanceledException") {
		// The same request at another node is answered, and not performed again.
		tries++
		_, err = b.any().TransactWriteItems(ctx, in)
	}
	switch {
	case err == nil:
		b.keep(d, saw)
	case tries == 1 && refused(err, "TransactionCanceledException"):
		return nil
	default:
		b.lose(d)
	}
	return err
}

// lose enters a deed that nobody knows of: also one that was refused when it was tried again.
func (b *bank) lose(d *history.Deed) {
	d.Unknown, d.End = true, math.MaxInt64
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deeds = append(b.deeds, d)
}

// check looks for the order.
func (b *bank) check() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	complaints := b.wrongs
	if err := history.CheckOrder(history.Known(b.deeds)); err != nil {
		complaints = append(complaints, fmt.Sprintf("the bank's transactions are not serialisable: %v", err))
	}
	return complaints
}
