// Verifies an audit log as Go's own checksum database client would: notes by sumdb/note, tiles and proofs by sumdb/tlog.
// Reads what audit-log.test.ts asks for as JSON, and prints one line for each fault; nothing if there is none.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type asked struct {
	Key    string
	Before string
	After  string
	// Tiles by their path in the form of tlog, `tile/8/0/000`, in base64.
	Tiles   map[string]string
	Entries []string
	Index   int64
	Proof   []string
	Tree    []string
}

func main() {
	var a asked
	if err := json.NewDecoder(os.Stdin).Decode(&a); err != nil {
		fail("input", err)
		return
	}
	verifier, err := note.NewVerifier(a.Key)
	if err != nil {
		fail("key", err)
		return
	}
	before, err := open(a.Before, verifier)
	if err != nil {
		fail("earlier checkpoint", err)
		return
	}
	after, err := open(a.After, verifier)
	if err != nil {
		fail("checkpoint", err)
		return
	}
	// Reads hashes from the tiles, each of them authenticated by the root of the checkpoint.
	reader := tlog.TileHashReader(after, tiles(a.Tiles))
	for index, entry := range a.Entries {
		stored, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(index))})
		if err != nil {
			fail(fmt.Sprintf("tiles of entry %d", index), err)
			return
		}
		if tlog.RecordHash(decoded(entry)) != stored[0] {
			fail(fmt.Sprintf("entry %d", index), fmt.Errorf("is not what the tree has"))
		}
	}
	proof := hashes(a.Proof)
	if err := tlog.CheckRecord(proof, after.N, after.Hash, a.Index, tlog.RecordHash(decoded(a.Entries[a.Index]))); err != nil {
		fail("inclusion", err)
	}
	if err := tlog.CheckTree(hashes(a.Tree), after.N, after.Hash, before.N, before.Hash); err != nil {
		fail("consistency", err)
	}
	made, err := tlog.ProveTree(after.N, before.N, reader)
	if err != nil {
		fail("consistency out of tiles", err)
	} else if err := tlog.CheckTree(made, after.N, after.Hash, before.N, before.Hash); err != nil {
		fail("consistency out of tiles", err)
	}
}

func open(text string, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	// tlog.ParseTree takes the checksum database's own first line alone.
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("is not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, err
}

type tiles map[string]string

func (tiles) Height() int                     { return 8 }
func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range wanted {
		text, ok := t[tile.Path()]
		if !ok {
			return nil, fmt.Errorf("no tile %s", tile.Path())
		}
		data = append(data, decoded(text))
	}
	return data, nil
}

func hashes(texts []string) []tlog.Hash {
	var all []tlog.Hash
	for _, text := range texts {
		hash, err := tlog.ParseHash(text)
		if err != nil {
			fail("hash", err)
		}
		all = append(all, hash)
	}
	return all
}

func decoded(text string) []byte {
	bytes, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		fail("base64", err)
	}
	return bytes
}

func fail(what string, err error) { fmt.Printf("%s: %v\n", what, err) }
