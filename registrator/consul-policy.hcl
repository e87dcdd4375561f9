# What the registrator's ACL token needs, and no more:
#   consul acl policy create -name toots-registrator -rules @registrator/consul-policy.hcl
#   consul acl token create -policy-name toots-registrator

# The address that the agent tells others, and what it can do. Name one agent to narrow it: agent "NODE".
agent_prefix "" {
  policy = "read"
}

# The services of containers. Narrow it where all of them have a common prefix.
service_prefix "" {
  policy = "write"
}
