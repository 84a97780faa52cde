import fc from 'fast-check'
import * as z from 'zod'

const NAMES = ['ada@x.example', 'BOB@x.example', 'cyd']
const MAILS = ['ada@x.example', 'bob@x.example', 'c@x.example', 'D@x.example']
const ROLES = ['author', 'observer']
const GROUPS = ['author', 'Observer', 'club']

const who = fc.nat(5)
const some = fc.uniqueArray(who, { maxLength: 3 })
const optional = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined })
const addresses = {
  email: optional(fc.constantFrom(...MAILS)),
  externalId: optional(fc.constantFrom('X', 'Y')),
}
const said = { ...addresses, userName: fc.constantFrom(...NAMES) }
const name = fc.constantFrom(...GROUPS)
const command = fc.oneof(
  fc.record({ do: fc.constant('create' as const), ...said }),
  fc.record({ do: fc.constant('create' as const), ...said }),
  fc.record({ do: fc.constant('put' as const), who, ...said }),
  fc.record({ do: fc.constantFrom('activate' as const, 'deactivate' as const, 'delete' as const), who }),
  fc.record({ do: fc.constantFrom('archive' as const, 'restore' as const), who }),
  fc.record({ do: fc.constant('hire' as const), ...addresses, roles: fc.subarray(ROLES) }),
  fc.record({ do: fc.constant('roles' as const), who, roles: fc.subarray(ROLES) }),
  fc.record({ do: fc.constant('group' as const), name, members: some }),
  fc.record({ do: fc.constant('regroup' as const), which: fc.nat(2), name, members: some }),
  fc.record({ do: fc.constantFrom('join' as const, 'leave' as const), which: fc.nat(2), members: some }),
  fc.record({ do: fc.constant('ungroup' as const), which: fc.nat(2) }),
)
export type Command = typeof command extends fc.Arbitrary<infer T> ? T : never
export const commands = fc.array(command, { minLength: 15, maxLength: 20 })

type Person = {
  id: string
  /** As a directory said it; absent of who never came from one. */
  userName?: string | undefined
  email?: string | undefined
  externalId?: string | undefined
  status: 'active' | 'archived'
  /** The directory took it away. */
  gone: boolean
  roles: string[]
  /** Of its roles those that groups alone give. */
  given: string[]
  groups: string[]
  former: string[]
}
type Group = { id: string; name: string }

const GONE = '409 PERSON_EXISTS'
const same = (one: string | undefined, other: string | undefined) =>
  one !== undefined && one.toLowerCase() === other?.toLowerCase()
const nameOf = ({ userName, email, id }: Person) => userName ?? email ?? id
const isListed = ({ gone, status }: Person) => !gone || status === 'active'

/** A directory as anybody would write it down: who there is, and who is in which group. */
export class Model {
  people = new Map<string, Person>()
  groups = new Map<string, Group>()
  trail: string[] = []
  #made: Person | undefined
  #grouped: { name: string; members: readonly string[] } | undefined

  copy(): Model {
    const copy = new Model()
    copy.people = structuredClone(this.people)
    copy.groups = structuredClone(this.groups)
    copy.trail = [...this.trail]
    return copy
  }

  named(one: Command) {
    const at = (all: ReadonlyMap<string, unknown>, place: number) => [...all.keys()][place % (all.size || 1)]
    return {
      person: ('who' in one ? at(this.people, one.who) : undefined) ?? 'usr_00000000000000000000000000',
      group: ('which' in one ? at(this.groups, one.which) : undefined) ?? 'grp_00000000000000000000000000',
    }
  }

  membersOf(one: Command): string[] {
    const ids = [...this.people.keys()]
    const named = 'members' in one ? one.members.flatMap((place) => ids[place % (ids.length || 1)] ?? []) : []
    return [...new Set(named)]
  }

  addressesOf({ email, externalId }: { email?: string | undefined; externalId?: string | undefined }) {
    return { ...(email && { email }), ...(externalId && { externalId }) }
  }

  bodyOf({ userName, email, externalId }: Pick<Person, 'userName' | 'email' | 'externalId'>) {
    return {
      userName,
      active: true,
      ...(externalId && { externalId }),
      ...(email && { emails: [{ value: email }] }),
    }
  }

  listed = () =>
    [...this.people.values()].filter(isListed).map((one) => [one.id, nameOf(one), one.externalId])
  told = () =>
    [...this.people.values()].map(({ id, status, email, roles }) => [id, status, email, roles.toSorted()])
  grouped = () =>
    [...this.groups.values()].map(({ id, name }) => [
      id,
      name,
      this.#within(id)
        .map((one) => one.id)
        .toSorted(),
    ])

  /** What is answered. */
  apply(one: Command): string {
    this.trail.push(one.do)
    const { person: id, group: groupId } = this.named(one)
    const person = this.people.get(id)
    const group = this.groups.get(groupId)
    switch (one.do) {
      case 'create': {
        const known = [...this.people.values()].filter(
          (other) =>
            same(other.userName, one.userName) ||
            same(other.email, one.userName) ||
            (one.externalId !== undefined && other.externalId === one.externalId),
        )
        const [back] = known
        if (known.length > 1 || known.some(isListed)) return GONE
        return this.#say(back ?? this.#blank(), one, '201')
      }
      case 'hire': {
        const { email, externalId, roles } = one
        const made = { ...this.#blank(), email, externalId, roles: [...roles] }
        this.#made = made
        return this.#isTaken(made) ? GONE : '201'
      }
      case 'put':
        return person && isListed(person) ? this.#say(person, one, '200') : '404 NOT_FOUND'
      case 'activate':
      case 'deactivate':
        if (person === undefined || !isListed(person)) return '404 NOT_FOUND'
        person.userName = nameOf(person)
        person.status = one.do === 'activate' ? 'active' : 'archived'
        if (one.do === 'deactivate') person.gone = false
        return '200'
      case 'archive':
      case 'restore':
        if (person === undefined) return '404 NOT_FOUND'
        if (person.status !== 'archived' || one.do === 'restore') person.former = []
        if (one.do === 'restore' && person.status === 'archived') person.gone = false
        person.status = one.do === 'archive' ? 'archived' : 'active'
        return '200'
      case 'delete':
        if (person === undefined || !isListed(person)) return '404 NOT_FOUND'
        Object.assign(person, {
          userName: nameOf(person),
          status: 'archived',
          gone: true,
          roles: person.roles.filter((role) => !person.given.includes(role)),
          given: [],
          groups: [],
          former: person.groups,
        })
        return '204'
      case 'roles':
        if (person === undefined) return '404 NOT_FOUND'
        if (person.status === 'archived') return '409 ARCHIVED'
        person.roles = [...one.roles]
        return '200'
      case 'group': {
        const members = this.membersOf(one)
        if (!members.every((each) => this.#isThere(each))) return '400 INVALID_REQUEST'
        if (this.#isNamed(one.name)) return '409 GROUP_EXISTS'
        this.#grouped = { name: one.name, members }
        return '201'
      }
      case 'ungroup':
        if (group === undefined) return '404 NOT_FOUND'
        this.#gather(group, [])
        this.groups.delete(group.id)
        return '204'
      case 'regroup':
      case 'join':
      case 'leave': {
        if (group === undefined) return '404 NOT_FOUND'
        const [named, before] = [this.membersOf(one), this.#within(group.id).map((each) => each.id)]
        // To take away nobody is to take away all.
        const isAll = one.do === 'leave' && named.length === 0
        const after =
          one.do === 'regroup'
            ? named
            : one.do === 'join'
              ? [...before, ...named]
              : before.filter((each) => !isAll && !named.includes(each))
        const joining = after.filter((each) => !before.includes(each))
        if (!joining.every((each) => this.#isThere(each))) return '400 INVALID_REQUEST'
        if (one.do === 'regroup') {
          if (this.#isNamed(one.name, group.id)) return '409 GROUP_EXISTS'
          if (one.name !== group.name) {
            group.name = one.name
            for (const each of this.#within(group.id)) this.#give(each)
          }
        }
        this.#gather(group, after)
        return one.do === 'regroup' ? '200' : '204'
      }
    }
  }

  /** Takes the id of what was made. */
  adopt({ do: does }: Command, body: unknown): void {
    const made = this.#made
    if (does === 'create' || does === 'hire') {
      if (made?.id === '') this.people.set(Made.parse(body).id, { ...made, id: Made.parse(body).id })
    } else if (does === 'group' && this.#grouped) {
      const group = { id: Made.parse(body).id, name: this.#grouped.name }
      this.groups.set(group.id, group)
      this.#gather(group, this.#grouped.members)
    }
  }

  #blank = (): Person => ({
    id: '',
    status: 'active',
    gone: false,
    roles: [],
    given: [],
    groups: [],
    former: [],
  })

  #say(
    person: Person,
    { userName, email, externalId }: Pick<Person, 'userName' | 'email' | 'externalId'>,
    done: string,
  ) {
    const isBack = person.status === 'archived'
    const own = email ?? (userName?.includes('@') ? userName : undefined)
    Object.assign(person, { userName, email: own, externalId, status: 'active', gone: false })
    this.#made = person
    if (this.#isTaken(person)) return GONE
    const back = person.former.filter((id) => this.groups.has(id))
    person.former = []
    if (isBack && back.length > 0) {
      person.groups = [...new Set([...person.groups, ...back])]
      this.#give(person)
    }
    return done
  }

  #isTaken(person: Person): boolean {
    return [...this.people.values()].some(
      (other) =>
        other.id !== person.id &&
        (same(person.email, other.email) ||
          same(person.userName ?? person.email, other.userName ?? other.email) ||
          (person.externalId !== undefined && person.externalId === other.externalId)),
    )
  }

  #isNamed = (name: string, but?: string) =>
    [...this.groups.values()].some((one) => one.id !== but && same(one.name, name))
  #isThere(id: string): boolean {
    const person = this.people.get(id)
    return person !== undefined && isListed(person)
  }
  #within = (id: string) => [...this.people.values()].filter(({ groups }) => groups.includes(id))

  #gather({ id }: Group, members: readonly string[]): void {
    for (const person of this.people.values()) {
      const [was, is] = [person.groups.includes(id), members.includes(person.id)]
      if (was === is) continue
      person.groups = is ? [...person.groups, id] : person.groups.filter((one) => one !== id)
      this.#give(person)
    }
  }

  /** The roles that groups give now, beside those it has otherwise. */
  #give(person: Person): void {
    const own = person.roles.filter((role) => !person.given.includes(role))
    const named = person.groups.flatMap((id) => this.groups.get(id)?.name.toLowerCase() ?? [])
    person.given = [...new Set(named)].filter((role) => ROLES.includes(role) && !own.includes(role))
    person.roles = [...own, ...person.given]
  }
}

const Made = z.looseObject({ id: z.string() })
