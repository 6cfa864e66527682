package franz

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Whether the error comes from the broker, rather than from a closed connection or a timeout.
func isKafkas(err error) bool {
	var said *kerr.Error
	return errors.As(err, &said)
}

func TestTopicsAreCreatedDescribedAndDeleted(t *testing.T) {
	const topic = "franz.admin"
	admin := kadm.NewClient(client(t))
	ctx := within(t)
	policy := "compact"
	settings := map[string]*string{"cleanup.policy": &policy}
	made, err := admin.CreateTopic(ctx, 3, -1, settings, topic)
	if err != nil || made.Err != nil {
		t.Fatal(err, made.Err)
	}
	if _, err = admin.CreateTopic(ctx, 3, 1, nil, topic); !errors.Is(err, kerr.TopicAlreadyExists) {
		t.Fatalf("made twice: %v", err)
	}
	if _, err = admin.ValidateCreateTopics(ctx, 1, 1, nil, "franz.validated"); err != nil {
		t.Fatal(err)
	}
	topics, err := admin.ListTopics(ctx)
	if err != nil || !topics.Has(topic) || len(topics[topic].Partitions) != 3 || topics.Has("franz.validated") {
		t.Fatalf("%v %+v", err, topics)
	}
	if topics[topic].ID == (kadm.TopicID{}) {
		t.Fatal("the topic has no id")
	}
	configs, err := admin.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	found := ""
	for _, config := range configs[0].Configs {
		if config.Key == "cleanup.policy" {
			found = config.MaybeValue()
		}
	}
	if found != policy {
		t.Fatalf("cleanup.policy is %q", found)
	}
	deleted, err := admin.DeleteTopics(ctx, topic)
	if err != nil || deleted[topic].Err != nil {
		t.Fatal(err, deleted)
	}
	// Apache Kafka's brokers learn of it a little later, and the client caches the former state.
	for topics.Has(topic) {
		if topics, err = admin.ListTopics(ctx); err != nil {
			t.Fatalf("the topic is still listed: %v", err)
		}
	}
}

func TestAMetadataRequestDoesNotCreateATopic(t *testing.T) {
	const typo = "franz.typo"
	curious := client(t, kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(1))
	ctx := within(t)
	record := &kgo.Record{Topic: typo, Value: []byte("lost")}
	if err := curious.ProduceSync(ctx, record).FirstErr(); !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Fatal(err)
	}
	topics, err := kadm.NewClient(client(t)).ListTopics(ctx)
	if err != nil || topics.Has(typo) {
		t.Fatalf("%v %+v", err, topics)
	}
}

func TestAProtectedTopicStaysUnchanged(t *testing.T) {
	if !ours {
		t.Skip("Apache Kafka protects topics by access lists, which is another mechanism")
	}
	protected := os.Getenv("CONFORMANCE_PROTECTED")
	admin := kadm.NewClient(client(t))
	ctx := within(t)
	deleted, err := admin.DeleteTopics(ctx, protected)
	if err == nil {
		err = deleted[protected].Err
	}
	if !isKafkas(err) {
		t.Fatalf("delete: %v", err)
	}
	policy := "compact"
	change := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "cleanup.policy", Value: &policy}}
	altered, err := admin.AlterTopicConfigs(ctx, change, protected)
	if err == nil {
		err = altered[0].Err
	}
	if !isKafkas(err) {
		t.Fatalf("alter: %v", err)
	}
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: protected, Partition: 0, At: 1})
	emptied, err := admin.DeleteRecords(ctx, offsets)
	if err == nil {
		err = emptied[protected][0].Err
	}
	if !isKafkas(err) {
		t.Fatalf("delete records: %v", err)
	}
	grown, err := admin.CreatePartitions(ctx, 3, protected)
	if err == nil {
		err = grown[protected].Err
	}
	if !isKafkas(err) {
		t.Fatalf("create partitions: %v", err)
	}
	topics, err := admin.ListTopics(ctx, protected)
	if err != nil || len(topics[protected].Partitions) != 1 {
		t.Fatalf("%v %+v", err, topics)
	}
}

func TestUnsupportedRequestsAreErrors(t *testing.T) {
	one := client(t)
	ctx := within(t)
	transactional := "franz.transaction"
	begin := kmsg.NewPtrInitProducerIDRequest()
	begin.TransactionalID = &transactional
	begin.TransactionTimeoutMillis = 10_000
	_, err := begin.RequestWith(ctx, one)
	if ours != isKafkas(err) || !ours && err != nil {
		t.Fatalf("InitProducerId with a transactional id: %v", err)
	}
	// Each response may be a success (Apache Kafka's) or one of Kafka's errors, but it must be a response.
	const anyOf = 1
	acls := kmsg.NewPtrDescribeACLsRequest()
	acls.ResourceType, acls.ResourcePatternType, acls.Operation, acls.PermissionType = anyOf, anyOf, anyOf, anyOf
	requests := []kmsg.Request{
		acls,
		kmsg.NewPtrDescribeClientQuotasRequest(),
		kmsg.NewPtrDescribeUserSCRAMCredentialsRequest(),
		kmsg.NewPtrDescribeLogDirsRequest(),
		kmsg.NewPtrListPartitionReassignmentsRequest(),
		kmsg.NewPtrListTransactionsRequest(),
		kmsg.NewPtrDescribeDelegationTokenRequest(),
	}
	for _, request := range requests {
		_, err := one.Request(ctx, request)
		if err == nil || isKafkas(err) {
			continue
		}
		// The client checks the broker's versions, and does not send requests that the broker does not know.
		if !strings.Contains(err.Error(), "unknown request key") && !strings.Contains(err.Error(), "unsupported") {
			t.Errorf("%s: %v", kmsg.NameForKey(request.Key()), err)
		}
	}
	// The connection still works.
	if err := one.Ping(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestGroupsAreListedDescribedAndDeleted(t *testing.T) {
	const topic, group = "franz.groups", "franz.deleted"
	create(t, topic, 1)
	appendTo(t, topic, 0, 3)
	admin := kadm.NewClient(client(t))
	ctx := within(t)
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: topic, Partition: 0, At: 2, LeaderEpoch: -1, Metadata: "by hand"})
	if err := admin.CommitAllOffsets(ctx, group, offsets); err != nil {
		t.Fatal(err)
	}
	fetched, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		t.Fatal(err)
	}
	if found, ok := fetched.Lookup(topic, 0); !ok || found.At != 2 || found.Metadata != "by hand" {
		t.Fatalf("%+v", fetched)
	}
	listed, err := admin.ListGroups(ctx)
	if _, ok := listed[group]; err != nil || !ok {
		t.Fatalf("%v %+v", err, listed)
	}
	described, err := admin.DescribeGroups(ctx, group)
	if err != nil || described[group].State != "Empty" {
		t.Fatalf("%v %+v", err, described)
	}
	if _, err := admin.DeleteGroup(ctx, group); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.DeleteGroup(ctx, group); !errors.Is(err, kerr.GroupIDNotFound) {
		t.Fatalf("deleted twice: %v", err)
	}
}

func TestAWrongPasswordIsAnAuthenticationError(t *testing.T) {
	if os.Getenv("CONFORMANCE_PASSWORD") == "" {
		t.Skip("the broker asks for no password")
	}
	wrong, err := kgo.NewClient(
		kgo.SeedBrokers(os.Getenv("CONFORMANCE_BOOTSTRAP")),
		login("wrong"),
		kgo.RequestRetries(0),
	)
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Close()
	if err := wrong.Ping(within(t)); !errors.Is(err, kerr.SaslAuthenticationFailed) {
		t.Fatalf("%v", err)
	}
}
