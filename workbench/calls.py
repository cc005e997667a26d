"""The calls that window, terminal and scripts make, as values, with the type of what each one returns.

``Workbench.handle(call)`` answers them in process, ``Client`` over the local connection. One module a desk; all
of them are named here.
"""

from __future__ import annotations

from workbench.subjects.adapters.calls import *
from workbench.subjects.agents.calls import *
from workbench.subjects.backup.calls import *
from workbench.subjects.chats.calls import *
from workbench.subjects.costs.calls import *
from workbench.subjects.datasets.calls import *
from workbench.subjects.documents.calls import *
from workbench.subjects.endpoints.calls import *
from workbench.subjects.evaluation.calls import *
from workbench.subjects.judgements.calls import *
from workbench.subjects.machine.calls import *
from workbench.subjects.models.calls import *
from workbench.subjects.network_log.calls import *
from workbench.subjects.prompts.calls import *
from workbench.subjects.runs.calls import *
from workbench.subjects.serving.calls import *
from workbench.subjects.trainings.calls import *

AnyCall = (
    GetMachine | ListMethods | GetStatus | Subscribe | GetSettings | ChangeSettings
    | RegisterStarter | ListModels | ImportModel | InspectModel | RemoveModel | LoadModel | UnloadModel
    | BenchModel | SetDefaultModel | ExamineModel | RestartWorker
    | FindLocalModels | FitModel | FitHubFile | SuggestModel | ReadHubCard
    | ListEndpoints | AddEndpoint | ProbeEndpoint | ChangeEndpoint | AllowSending | EstimateCost
    | ListServedModels | AskServed | EmbedServed | RankServed | TokenizeServed | DetokenizeServed
    | DescribeServedTokenizer | GetApiState | RenewApiKey | ServeApi
    | SearchHub | ListHubFiles | DownloadModel | SetHubToken | GetHubAccount
    | ListNetworkRequests | ClearNetworkLog | ExportNetworkLog
    | ListCollections | CreateCollection | RenameCollection | SetPassageLength | SetEmbedder | RemoveCollection
    | ListDocuments | AddDocuments | UnlockDocument | AttachFiles | Unwatch | RemoveFolder | RemoveDocument
    | SearchDocuments | GetDocumentText | DrawPage
    | ListChats | GetChat | GetTrace | RenameChat | PinChat | DeleteChat | SetHead | ExportChat | MoveChat
    | WithdrawTool | CreateChatFolder | RenameChatFolder | RemoveChatFolder | Ask | FollowAnswer | StopAnswer
    | SelectSequence | InspectAnswer | CheckFormat | ShowPrompt
    | GetRuntime | InstallPack | FindPacks | DownloadPack | TryPack | UseProcessor | RemovePack
    | Diagnose | SaveReport | WarmUp | BackUp | InspectBackup | RestoreBackup
    | CheckUpdate | DownloadUpdate
    | ListMcpServers | SaveMcpServer | RemoveMcpServer | AgreeToMcpTools
    | ListTools | CallTool | Decide | ListFacts | AddFact | EditFact | ForgetFact
    | ListRuns | GetRun | FollowRun | StopRun | ResumeRun | PauseRun | RemoveRun | ExportRun
    | InspectData | ListDataSets | BuildData | RemoveDataSet | RateAnswer | EditAnswer | PlanTraining | Train
    | CreateQuestionSet | ListQuestionSets | ListQuestions | EditQuestion | RemoveQuestionSet
    | ListPrompts | GetPrompt | SavePrompt | RestorePrompt | RenamePrompt | RemovePrompt | ExportPrompt | ImportPrompt
    | ListDemonstrations | SaveDemonstration | RemoveDemonstration
    | InspectBenchmark | FetchBenchmark | RunBenchmark | GetLeaderboard
    | Evaluate | Optimise | AddScorers | SuggestScorers | ListEvaluations | GetEvaluation | ListGrid | GetCell
    | RateCell | RemoveEvaluation | ExportEvaluation
    | AddJudgements | ListJudgements | GetJudgement | ChangeJudgement | RemoveJudgements | UndoJudgement
    | ImportJudgements | ExportJudgements | GetJudgementStatistics | GetLearnable | MakePreferenceSet
    | ScoreAnswers | JudgePairs | GetWinRate
    | MakeCandidates | ListQueues | GetNextPair | SkipPair | RemoveQueue
    | ListAdapters | ImportAdapter | RenameAdapter | RemoveAdapter | MergeAdapter | ExportAdapter | QuantizeModel
)  # fmt: skip
