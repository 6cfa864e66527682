// Package franz tests a broker with franz-go, the Go client. The Rust test passes the address of the broker.
package franz

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

// Longer than any step takes on a busy machine. Only a failing test waits this long.
const patience = 60 * time.Second

const firstTime = 1_700_000_000_000

// This crate's broker refuses some requests that Apache Kafka allows for all clients.
var ours = os.Getenv("CONFORMANCE_OURS") == "1"

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func login(password string) kgo.Opt {
	return kgo.SASL(plain.Auth{User: os.Getenv("CONFORMANCE_USERNAME"), Pass: password}.AsMechanism())
}

func client(t *testing.T, more ...kgo.Opt) *kgo.Client {
	t.Helper()
	options := []kgo.Opt{
		kgo.SeedBrokers(os.Getenv("CONFORMANCE_BOOTSTRAP")),
		// The default is five seconds, during which the client answers from its cache.
		kgo.MetadataMinAge(50 * time.Millisecond),
	}
	if password := os.Getenv("CONFORMANCE_PASSWORD"); password != "" {
		options = append(options, login(password))
	}
	made, err := kgo.NewClient(append(options, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(made.Close)
	return made
}

func create(t *testing.T, topic string, partitions int32) {
	t.Helper()
	// The records have old timestamps, so Apache Kafka would soon delete them.
	forever := "-1"
	settings := map[string]*string{"retention.ms": &forever}
	if _, err := kadm.NewClient(client(t)).CreateTopic(within(t), partitions, 1, settings, topic); err != nil {
		t.Fatal(err)
	}
}

// Appends value-0, value-1, ... with timestamps a second apart, and returns them.
func appendTo(t *testing.T, topic string, partition int32, count int, more ...kgo.Opt) []string {
	t.Helper()
	options := append(more, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(20*time.Millisecond))
	producer := client(t, options...)
	var values []string
	var records []*kgo.Record
	for number := range count {
		value := fmt.Sprintf("value-%d", number)
		values = append(values, value)
		records = append(records, &kgo.Record{
			Topic:     topic,
			Partition: partition,
			Timestamp: time.UnixMilli(firstTime + int64(number)*1000),
			Key:       []byte("key"),
			Value:     []byte(value),
			Headers:   []kgo.RecordHeader{{Key: "number", Value: []byte{byte(number)}}},
		})
	}
	results := producer.ProduceSync(within(t), records...)
	if err := results.FirstErr(); err != nil {
		t.Fatal(err)
	}
	return values
}

func read(t *testing.T, consumer *kgo.Client, count int) []*kgo.Record {
	t.Helper()
	ctx := within(t)
	var records []*kgo.Record
	for len(records) < count {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("only %d of %d came: %v", len(records), count, err)
		}
		records = append(records, fetches.Records()...)
	}
	return records
}

func at(topic string, offset int64) kgo.Opt {
	partitions := map[int32]kgo.Offset{0: kgo.NewOffset().At(offset)}
	return kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: partitions})
}

func TestRecordsComeBackInEveryCodecFromEachOffset(t *testing.T) {
	codecs := map[string]kgo.CompressionCodec{
		"none":   kgo.NoCompression(),
		"gzip":   kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(),
		"lz4":    kgo.Lz4Compression(),
		"zstd":   kgo.ZstdCompression(),
	}
	for name, codec := range codecs {
		t.Run(name, func(t *testing.T) {
			topic := "franz.codec." + name
			create(t, topic, 1)
			values := appendTo(t, topic, 0, 20, kgo.ProducerBatchCompression(codec))
			for from := range values {
				records := read(t, client(t, at(topic, int64(from))), len(values)-from)
				for index, record := range records {
					number := from + index
					if string(record.Value) != values[number] || record.Offset != int64(number) ||
						record.Timestamp.UnixMilli() != firstTime+int64(number)*1000 ||
						string(record.Key) != "key" || record.Headers[0].Value[0] != byte(number) {
						t.Fatalf("from %d: %+v", from, record)
					}
				}
			}
		})
	}
}

func TestTwoMembersOfAGroupReadEverythingOnceAndContinue(t *testing.T) {
	const topic, group, partitions, each = "franz.group", "franz.readers", 4, 50
	create(t, topic, partitions)
	for partition := range int32(partitions) {
		appendTo(t, topic, partition, each)
	}
	options := []kgo.Opt{
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.HeartbeatInterval(100 * time.Millisecond),
	}
	ctx := within(t)
	first := client(t, options...)
	seen := map[string]int{}
	total := 0
	take := func(member *kgo.Client, wait time.Duration) {
		short, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		fetches := member.PollFetches(short)
		if err := fetches.Err0(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			seen[fmt.Sprint(record.Partition, record.Offset)]++
			total++
		})
		if err := member.CommitUncommittedOffsets(ctx); err != nil && !errors.Is(err, kerr.RebalanceInProgress) {
			t.Fatal(err)
		}
	}
	for total < partitions*each {
		take(first, 100*time.Millisecond)
	}
	if len(seen) != partitions*each {
		t.Fatalf("%d records, %d of them different", total, len(seen))
	}

	admin := kadm.NewClient(client(t))
	second := client(t, options...)
	// Wait until both members of the group have partitions.
	for {
		take(first, 50*time.Millisecond)
		take(second, 50*time.Millisecond)
		described, err := admin.DescribeGroups(ctx, group)
		if err != nil {
			t.Fatal(err)
		}
		shares := map[string]bool{}
		for _, member := range described[group].Members {
			if assigned, ok := member.Assigned.AsConsumer(); ok && len(assigned.Topics) > 0 {
				shares[member.MemberID] = true
			}
		}
		if described[group].State == "Stable" && len(shares) == 2 {
			break
		}
	}
	for partition := range int32(partitions) {
		appendTo(t, topic, partition, each)
	}
	for len(seen) < 2*partitions*each {
		take(first, 50*time.Millisecond)
		take(second, 50*time.Millisecond)
	}
	lags, err := admin.Lag(ctx, group)
	if err != nil {
		t.Fatal(err)
	}
	if lag := lags[group].Lag.Total(); lag != 0 {
		t.Fatalf("a lag of %d is left", lag)
	}
}

func TestOffsetsOfTimesAreThoseOfTheRecords(t *testing.T) {
	const topic = "franz.times"
	create(t, topic, 1)
	appendTo(t, topic, 0, 10)
	appendTo(t, topic, 0, 3)
	admin := kadm.NewClient(client(t))
	ctx := within(t)
	expect := func(what string, listed kadm.ListedOffsets, err error, offset, timestamp int64) {
		t.Helper()
		found, ok := listed.Lookup(topic, 0)
		if err != nil || !ok || found.Err != nil {
			t.Fatalf("%s: %v, %+v", what, err, found)
		}
		if found.Offset != offset || found.Timestamp != timestamp {
			t.Fatalf("%s: %+v", what, found)
		}
	}
	listed, err := admin.ListStartOffsets(ctx, topic)
	expect("start", listed, err, 0, -1)
	listed, err = admin.ListEndOffsets(ctx, topic)
	expect("end", listed, err, 13, -1)
	listed, err = admin.ListMaxTimestampOffsets(ctx, topic)
	expect("newest", listed, err, 9, firstTime+9000)
	for number := range int64(10) {
		listed, err = admin.ListOffsetsAfterMilli(ctx, firstTime+number*1000-500, topic)
		expect("by time", listed, err, number, firstTime+number*1000)
	}
	// Newer than all records: kadm answers with the end.
	listed, err = admin.ListOffsetsAfterMilli(ctx, firstTime+9001, topic)
	expect("after the newest", listed, err, 13, -1)
}

func TestAnIdempotentProducerKeepsItsOrderWithManyRequestsInFlight(t *testing.T) {
	const topic, count = "franz.order", 5000
	create(t, topic, 1)
	producer := client(t, kgo.DefaultProduceTopic(topic), kgo.ProducerBatchMaxBytes(2000))
	offsets := make([]int64, count)
	failed := make(chan error, count)
	for number := range count {
		record := kgo.StringRecord(fmt.Sprint(number))
		producer.Produce(within(t), record, func(done *kgo.Record, err error) {
			offsets[number] = done.Offset
			failed <- err
		})
	}
	for range count {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	if !sort.SliceIsSorted(offsets, func(a, b int) bool { return offsets[a] < offsets[b] }) || offsets[count-1] != count-1 {
		t.Fatal("the offsets do not follow the order of sending")
	}
}
